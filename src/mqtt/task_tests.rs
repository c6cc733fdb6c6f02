//! The task against a broker that falls silent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{broadcast, mpsc, watch},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    Info, MqttConfig, MqttStatus,
    interface::Interface,
    task::{Ears, Task},
};
use crate::{appliance::ApplianceState, suspend::Clocks};

/// Accepts a connection of MQTT 3.1.1 and its subscriptions, and never answers anything again.
async fn accept(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    assert_eq!(packet(&mut stream).await.0, 0x10, "CONNECT");
    stream.write_all(&[0x20, 2, 0, 0]).await.unwrap();
    let (kind, body) = packet(&mut stream).await;
    assert_eq!(kind, 0x82, "SUBSCRIBE");
    let mut topics = &body[2..];
    let mut granted = Vec::new();
    while let [high, low, rest @ ..] = topics {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        granted.push(rest[length]);
        topics = &rest[length + 1..];
    }
    let mut answer = vec![0x90, 2 + u8::try_from(granted.len()).unwrap()];
    answer.extend(&body[..2]);
    answer.extend(granted);
    stream.write_all(&answer).await.unwrap();
    stream
}

/// First byte and body of a packet.
async fn packet(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let kind = stream.read_u8().await.unwrap();
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = stream.read_u8().await.unwrap();
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
        shift += 7;
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (kind, body)
}

#[tokio::test]
async fn after_a_sleep_a_new_connection_is_made_at_once_and_not_when_the_old_one_is_missed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config: MqttConfig = toml::from_str(&format!(
        "brokers = [\"mqtt://{}\"]\nversion = \"3.1.1\"\ndevice = \"wall\"",
        listener.local_addr().unwrap()
    ))
    .unwrap();
    let asleep = Arc::new(AtomicU64::new(0));
    let slept = Arc::clone(&asleep);
    let (_state, shown) = watch::channel(ApplianceState::default());
    let (_events, heard) = broadcast::channel(4);
    let (requests, _inbox) = mpsc::channel(4);
    let (tell, mut told) = mpsc::unbounded_channel();
    let shutdown = CancellationToken::new();
    let ears = Ears {
        state: shown,
        events: heard,
        shutdown: shutdown.clone(),
        clocks: Box::new(move || {
            let now = Clocks::now();
            Clocks {
                boot: now.boot + Duration::from_secs(slept.load(Ordering::Relaxed)),
                ..now
            }
        }),
    };
    let interface = Interface::new(config, Info::default(), ApplianceState::default());
    let task = tokio::spawn(Task::new(interface, ears, requests, tell).run());

    let _dead = accept(&listener).await;
    while !matches!(told.recv().await, Some(MqttStatus::Connected { .. })) {}
    asleep.store(3600, Ordering::Relaxed);
    // The keep-alive would notice after 15 s at the earliest.
    let again = timeout(Duration::from_secs(5), accept(&listener)).await;
    assert!(again.is_ok(), "the old connection is still trusted");
    loop {
        match told.recv().await {
            Some(MqttStatus::Connected { .. }) => break,
            Some(MqttStatus::Raised(problem)) => panic!("{problem:?}"),
            Some(_) => {}
            None => panic!("the task has ended"),
        }
    }
    shutdown.cancel();
    drop(again);
    timeout(Duration::from_secs(5), task)
        .await
        .unwrap()
        .unwrap();
}
