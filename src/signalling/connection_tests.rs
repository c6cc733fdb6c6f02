//! Connections that are made anew, with a server that speaks no more than the handshake.

use std::sync::atomic::{AtomicBool, Ordering};

use roomd_protocol::RoomUrl;
use tokio::net::TcpListener;
use tokio_tungstenite::accept_async;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

fn connector(addresses: fn() -> Option<Vec<IpAddr>>) -> Connector {
    Connector {
        addresses,
        ..Connector::new(
            tls::client_config(None).unwrap(),
            Endpoints::default(),
            Trace::open(None).unwrap(),
        )
    }
}

/// A server on a port of its own, and a room there.
async fn server() -> (TcpListener, RoomUrl) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let room = RoomUrl::parse(&format!("http://{address}/r")).unwrap();
    (listener, room)
}

/// The next connection, up to the namespace.
async fn accept(listener: &TcpListener) -> WebSocketStream<TcpStream> {
    let (stream, _) = timeout(PATIENCE, listener.accept())
        .await
        .expect("nobody connects")
        .unwrap();
    let mut socket = accept_async(stream).await.unwrap();
    let open = r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;
    socket.send(Message::text(open)).await.unwrap();
    let connect = socket.next().await.unwrap().unwrap();
    assert_eq!(connect.to_text().unwrap(), "40");
    socket
        .send(Message::text(r#"40{"sid":"s"}"#))
        .await
        .unwrap();
    socket
}

async fn heard(events: &mut mpsc::UnboundedReceiver<Event>) -> Event {
    timeout(PATIENCE, events.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_connection_from_an_address_that_is_gone_is_made_anew_long_before_the_silence() {
    static GONE: AtomicBool = AtomicBool::new(false);
    let (listener, room) = server().await;
    let (tell, mut events) = mpsc::unbounded_channel();
    let addresses = || {
        let own = IpAddr::from([127, 0, 0, 1]);
        let other = IpAddr::from([192, 0, 2, 7]);
        let is_gone = GONE.load(Ordering::Relaxed);
        Some(vec![if is_gone { other } else { own }])
    };
    let connection = connector(addresses).connect(&room, tell);
    let _first = accept(&listener).await;
    let connected = |again| Event::Socket(SocketEvent::Connected { again });
    assert_eq!(heard(&mut events).await, connected(false));

    GONE.store(true, Ordering::Relaxed);
    let lost = SocketEvent::Disconnected { will_retry: true };
    assert_eq!(heard(&mut events).await, Event::Socket(lost));
    GONE.store(false, Ordering::Relaxed);
    let Event::Retrying { error, .. } = heard(&mut events).await else {
        panic!("it is not tried again");
    };
    assert!(error.contains("127.0.0.1 no longer"), "{error}");
    let _second = accept(&listener).await;
    assert_eq!(heard(&mut events).await, connected(true));
    connection.close().await;
}

#[tokio::test]
async fn addresses_that_cannot_be_told_end_no_connection() {
    let (listener, room) = server().await;
    let (tell, mut events) = mpsc::unbounded_channel();
    let connection = connector(|| None).connect(&room, tell);
    let mut socket = accept(&listener).await;
    for _ in 0..2 {
        let noop = timeout(PATIENCE, socket.next()).await.unwrap();
        assert_eq!(noop.unwrap().unwrap().to_text().unwrap(), "6");
    }
    assert!(matches!(
        heard(&mut events).await,
        Event::Socket(SocketEvent::Connected { .. })
    ));
    assert!(events.try_recv().is_err());
    connection.close().await;
}

#[tokio::test]
async fn a_restart_in_the_middle_of_a_handshake_begins_it_anew_at_once() {
    let (listener, room) = server().await;
    let (tell, mut events) = mpsc::unbounded_channel();
    let connection = connector(own_addresses).connect(&room, tell);
    // Taken, and never answered.
    let (_silent, _) = timeout(PATIENCE, listener.accept()).await.unwrap().unwrap();
    let began = std::time::Instant::now();
    connection.restart();
    let _socket = accept(&listener).await;
    assert!(began.elapsed() < CONNECT_TIMEOUT);
    assert!(matches!(
        heard(&mut events).await,
        Event::Socket(SocketEvent::Connected { again: false })
    ));
    connection.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_cuts_a_pause_short_and_a_message_does_not() {
    let (orders, inbox) = mpsc::unbounded_channel();
    let (events, _) = mpsc::unbounded_channel();
    let mut task = Task {
        url: String::new(),
        origin: String::new(),
        connector: connector(own_addresses),
        inbox,
        events,
        again: true,
    };
    let began = Instant::now();
    let long = Duration::from_secs(60);
    orders
        .send(Order::Send(Box::new(ClientMessage::LeaveRoom)))
        .unwrap();
    assert_eq!(task.pause(long).await, Paused::Over);
    assert_eq!(began.elapsed(), long);
    orders.send(Order::Restart).unwrap();
    assert_eq!(task.pause(long).await, Paused::Over);
    assert_eq!(began.elapsed(), long);
    orders.send(Order::Close).unwrap();
    assert_eq!(task.pause(long).await, Paused::Closed);
}
