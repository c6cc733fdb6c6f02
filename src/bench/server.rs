//! The room server: joins and messages of a thousand clients under a stated load, memory for each of
//! them, processor time of a join as rooms become more, and messages against a bare echo.
//!
//! The clients are sockets with the project's codecs and nothing else, so that the server is what
//! is measured; they share the machine with it all the same, and the load is chosen to leave room.

mod client;
mod echo;
mod joins;
mod load;
mod throughput;

use std::{net::SocketAddr, path::Path};

use anyhow::Context;
use tempfile::TempDir;
use tokio::time::timeout;

use super::{Measured, controller::PATIENCE, program::Program, stage::page_url};
use crate::cli::BenchArgs;

pub(super) use echo::run as run_echo;

/// Clients of a room: as many as a room of mode `normal` takes.
const SEATS: usize = 4;

/// Without encryption, and without the limits that protect a server from clients like these.
const CONFIG: &str = r#"[server]
tls = { mode = "off" }
grace_seconds = 0
[server.limits]
sockets = 4000
sockets_per_device = 4000
devices_per_minute = 100000
messages_per_second = 1000000
message_burst = 1000000
[log]
level = "warn"
"#;

/// All of it, one after the other.
pub(super) async fn measure(arguments: &BenchArgs) -> Measured {
    crate::room_server::allow_many_files().context("cannot raise the limit on open files")?;
    let mut figures = load::measure(arguments).await?;
    figures.extend(joins::measure(arguments).await?);
    figures.extend(throughput::measure(arguments).await?);
    let note = format!(
        "load: {} clients in {} rooms of {SEATS}, {} joins a second, then {} messages a second, each \
         delivered to {SEATS}; delays count from when somebody was due to join or to write; the clients \
         run on the same machine",
        load::ROOMS * SEATS,
        load::ROOMS,
        load::JOINS_PER_SECOND,
        load::MESSAGES_PER_SECOND,
    );
    Ok((figures, vec![note]))
}

/// A program that listens, and where.
struct Listening {
    program: Program,
    address: SocketAddr,
    _folder: TempDir,
}

impl Listening {
    /// A room server.
    async fn room_server() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        let config = folder.path().join("server.toml");
        std::fs::write(&config, CONFIG)?;
        let arguments = [
            "room-server",
            "--ephemeral",
            "--listen",
            "127.0.0.1:0",
            "--config",
        ];
        let arguments = arguments
            .map(Path::new)
            .into_iter()
            .chain([config.as_path()]);
        let program = Program::roomd("room-server", folder.path(), arguments)?;
        let url = timeout(PATIENCE, page_url(&program))
            .await
            .with_context(|| format!("the room server does not start:\n{}", program.tail()))?;
        let address = url.trim_start_matches("http://").parse()?;
        Ok(Self {
            program,
            address,
            _folder: folder,
        })
    }

    /// The echo beside it.
    async fn echo() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a folder")?;
        let mut program = Program::roomd("echo", folder.path(), ["bench", "--bare-echo"])?;
        let line = timeout(PATIENCE, program.line()).await??;
        let address = line
            .parse()
            .with_context(|| format!("the echo says {line:?}"))?;
        Ok(Self {
            program,
            address,
            _folder: folder,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Sources};

    #[test]
    fn the_configuration_of_the_server_is_right() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roomd.toml");
        std::fs::write(&file, CONFIG).unwrap();
        let sources = Sources {
            file,
            file_required: true,
            ..Sources::none()
        };
        assert!(config::load(&sources).is_ok());
    }
}
