//! `roomd room-server`: the room server as a service of its own.

use std::{io, time::Instant};

use roomd_server::{RunningServer, ServerConfig, ServerError};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio_util::sync::CancellationToken;

use crate::systemd::{Notifier, Part, Watchdog};

/// Serves rooms until `stop` is cancelled.
///
/// # Errors
/// When the server cannot start with this configuration.
pub async fn run(config: ServerConfig, stop: CancellationToken) -> Result<(), ServerError> {
    if let Err(error) = allow_many_files() {
        tracing::warn!(%error, "the limit on open files was not raised: fewer connections are possible");
    }
    let server = roomd_server::start(config).await?;
    let url = server.page_url().to_string();
    eprintln!("room page: {url}");
    if let Some(fingerprint) = server.fingerprint() {
        eprintln!("certificate (SHA-256): {fingerprint}");
    }
    let mut notifier = Notifier::new();
    notifier.ready(&format!("serving rooms at {url}"));
    tokio::select! {
        () = stop.cancelled() => {}
        () = feed_watchdog(&server) => {}
    }
    notifier.stopping("closing the connections");
    server.shutdown().await;
    Ok(())
}

/// Raises the limit on open files as far as this process may. Every connection is one, and what a
/// process begins with, often 1024, is meant for programs that use `select`.
///
/// # Errors
/// When the system refuses.
pub fn allow_many_files() -> io::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}

/// Gives signs of life for as long as the room loop answers. Never ends.
async fn feed_watchdog(server: &RunningServer) {
    let Some(mut watchdog) = Watchdog::from_environment(&[Part::RoomLoop]) else {
        return std::future::pending().await;
    };
    let mut rounds = tokio::time::interval(watchdog.interval());
    loop {
        rounds.tick().await;
        if server.is_healthy().await {
            watchdog.progressed(Part::RoomLoop, Instant::now());
        } else {
            tracing::error!("the room loop of the server does not answer");
        }
    }
}
