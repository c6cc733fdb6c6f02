//! What the demo shows and which keys it takes.

use std::{
    io::{IsTerminal, Write, stdout},
    net::SocketAddr,
    time::Duration,
};

use crossterm::{
    cursor, event,
    event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
    execute, terminal,
};
use futures_util::StreamExt;
use qrcode::{QrCode, render::unicode};
use roomd_room::{Action, state::ConnectionStatus};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{
    appliance::{ChangeSource, ChangedBy, Command, JoinRoom, Request},
    daemon::{Daemon, status_line},
};

/// What is told at the start.
#[derive(Debug)]
pub(super) struct Screen {
    /// The page's address on this machine.
    pub(super) local_page: String,
    /// The page's address for others in the network.
    pub(super) page: String,
    /// Fingerprint of the self-made certificate.
    pub(super) fingerprint: Option<String>,
    /// The broker.
    pub(super) broker: SocketAddr,
    /// The device id in topics.
    pub(super) device: String,
    /// What is opened as camera and microphone.
    pub(super) sources: String,
    /// Whether keys are read.
    pub(super) read_keys: bool,
}

/// How often a pressed key may wait for its outcome to be shown.
const PATIENCE: Duration = Duration::from_secs(40);

/// Shows the demo until it is quit.
pub(super) async fn run(screen: &Screen, appliance: &Daemon, stop: CancellationToken) {
    print!("{}", introduction(screen));
    let keys = screen.read_keys && stdout().is_terminal();
    let raw = keys && terminal::enable_raw_mode().is_ok();
    follow(appliance, raw, stop).await;
    if raw {
        // Nothing better can be done if the terminal is gone.
        let _ = terminal::disable_raw_mode();
    }
    println!();
}

fn introduction(screen: &Screen) -> String {
    let mut text = String::from("\nroomd demo\n\n");
    if let Ok(code) = QrCode::new(screen.page.as_bytes()) {
        text.push_str(&code.render::<unicode::Dense1x2>().build());
        text.push_str("\n\n");
    }
    text.push_str(&format!(
        "  In a browser on this machine   {}\n",
        screen.local_page
    ));
    text.push_str(&format!(
        "  From another one (QR code)     {}\n",
        screen.page
    ));
    if let Some(fingerprint) = &screen.fingerprint {
        text.push_str(&format!(
            "  Its certificate is self-made, SHA-256 {fingerprint}\n"
        ));
    }
    text.push_str(&format!(
        "  The appliance opens            {}\n",
        screen.sources
    ));
    text.push_str(&format!(
        "  MQTT                           mqtt://{}  topics roomd/{}/…\n\n",
        screen.broker, screen.device
    ));
    text.push_str("  In another terminal, try\n");
    let ctl = format!(
        "roomd ctl --broker mqtt://{} --device {}",
        screen.broker, screen.device
    );
    for command in [
        "watch",
        "toggle_microphone",
        "send_chat_message text='Hello from the room'",
        "start_screenshare",
    ] {
        text.push_str(&format!("    {ctl} {command}\n"));
    }
    text.push_str(
        "\n  Keys  m microphone   c camera   h hand   s screenshare   l leave or join   q quit\n\n",
    );
    text
}

async fn follow(appliance: &Daemon, raw: bool, stop: CancellationToken) {
    let mut state = appliance.state.clone();
    let mut keys = raw.then(EventStream::new);
    let mut shown = String::new();
    loop {
        let line = status_line(&state.borrow_and_update());
        if line != shown {
            show(&line, raw);
            shown = line;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            changed = state.changed() => if changed.is_err() { return },
            key = next_key(&mut keys) => match key {
                Some(key) if quits(&key) => return,
                Some(key) => press(appliance, key.code, raw),
                None => keys = None,
            },
        }
    }
}

/// The next key; never comes where no keys are read.
async fn next_key(keys: &mut Option<EventStream>) -> Option<KeyEvent> {
    let Some(stream) = keys else {
        return std::future::pending().await;
    };
    loop {
        match stream.next().await? {
            Ok(Event::Key(key)) if key.kind != KeyEventKind::Release => return Some(key),
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "keys cannot be read any more");
                return None;
            }
        }
    }
}

fn quits(key: &event::KeyEvent) -> bool {
    key.code == KeyCode::Char('q')
        || (key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL))
}

fn press(appliance: &Daemon, key: KeyCode, raw: bool) {
    let state = appliance.state.borrow();
    let in_room = !matches!(
        state.room.connection_status,
        ConnectionStatus::Ready
            | ConnectionStatus::Left
            | ConnectionStatus::Kicked
            | ConnectionStatus::KnockRejected
    );
    let sharing = state.local_participant.participant.is_screen_sharing;
    drop(state);
    let command = match key {
        KeyCode::Char('m') => Command::Room(Action::ToggleMicrophone(None)),
        KeyCode::Char('c') => Command::Room(Action::ToggleCamera(None)),
        KeyCode::Char('h') => Command::Room(Action::ToggleRaiseHand(None)),
        KeyCode::Char('s') if sharing => Command::Room(Action::StopScreenshare),
        KeyCode::Char('s') => Command::Room(Action::StartScreenshare { source: None }),
        KeyCode::Char('l') if in_room => Command::Room(Action::LeaveRoom),
        KeyCode::Char('l') => Command::JoinRoom(JoinRoom::default()),
        _ => return,
    };
    let (reply, outcome) = oneshot::channel();
    let request = Request {
        command,
        by: ChangedBy::source(ChangeSource::Panel),
        reply,
    };
    let requests = appliance.requests.clone();
    tokio::spawn(async move {
        if requests.send(request).await.is_err() {
            return;
        }
        if let Ok(Ok(Err(error))) = tokio::time::timeout(PATIENCE, outcome).await {
            show(&format!("{}: {}", error.message, error.remedy), raw);
        }
    });
}

/// One line that is overwritten in a terminal, a line of its own elsewhere.
fn show(line: &str, raw: bool) {
    let mut out = stdout();
    let written = if raw {
        let width = terminal::size().map_or(80, |(columns, _)| usize::from(columns));
        let line: String = line.chars().take(width.saturating_sub(3)).collect();
        execute!(
            out,
            cursor::MoveToColumn(0),
            terminal::Clear(terminal::ClearType::CurrentLine)
        )
        .and_then(|()| write!(out, "  {line}"))
    } else {
        writeln!(out, "  {line}")
    };
    if let Err(error) = written.and_then(|()| out.flush()) {
        tracing::debug!(%error, "the terminal is gone");
    }
}
