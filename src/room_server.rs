//! `roomd room-server`: the room server as a service of its own.

use std::{
    io,
    time::{Duration, Instant},
};

use roomd_server::{RunningServer, ServerConfig, ServerError};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio_util::sync::CancellationToken;

use crate::{
    record::Storage,
    systemd::{Notifier, Part, Watchdog},
};

/// How often recordings that are too old are deleted.
const SWEEP_INTERVAL: Duration = Duration::from_secs(3600);

/// Serves rooms until `stop` is cancelled, and keeps the `recordings` within their retention.
///
/// # Errors
/// When the server cannot start with this configuration.
pub async fn run(
    config: ServerConfig,
    recordings: Option<Storage>,
    stop: CancellationToken,
) -> Result<(), ServerError> {
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
        () = sweep(recordings) => {}
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

/// Deletes recordings that are too old, now and every hour. Never ends.
async fn sweep(recordings: Option<Storage>) {
    let Some(recordings) = recordings else {
        return std::future::pending().await;
    };
    let mut rounds = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        rounds.tick().await;
        let recordings = recordings.clone();
        let sweeping = move || recordings.sweep(jiff::Timestamp::now());
        match tokio::task::spawn_blocking(sweeping).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "old recordings are not deleted"),
            Err(error) => tracing::error!(%error, "deleting old recordings ended with a bug"),
        }
    }
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
