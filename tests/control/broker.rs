//! A mosquitto of one's own.

use std::{io::Write, net::TcpListener, process::Stdio, time::Duration};

use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// A running mosquitto; it ends with this value.
pub(crate) struct Broker {
    pub(crate) port: u16,
    child: Child,
    config: NamedTempFile,
}

impl Broker {
    /// Starts one on a free port.
    pub(crate) async fn start() -> Self {
        Self::start_with("").await
    }

    /// Starts one with further lines of configuration.
    pub(crate) async fn start_with(lines: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut config = NamedTempFile::new().unwrap();
        let anonymous = if lines.contains("allow_anonymous") {
            ""
        } else {
            "allow_anonymous true"
        };
        writeln!(
            config,
            "listener {port} 127.0.0.1\npersistence false\nlog_type information\nlog_type error\n{anonymous}\n{lines}"
        )
        .unwrap();
        let child = spawn(&config).await;
        Self {
            port,
            child,
            config,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Kills it, as a power cut would. What it had retained is gone.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.unwrap();
    }

    /// Starts it again on the same port.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(&self.config).await;
    }
}

async fn spawn(config: &NamedTempFile) -> Child {
    let mut child = Command::new("mosquitto")
        .arg("-c")
        .arg(config.path())
        .env("PATH", "/usr/sbin:/usr/bin:/usr/local/sbin")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("mosquitto must be installed");
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    timeout(Duration::from_secs(10), async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains("running") {
                return;
            }
            assert!(!line.contains("Error"), "{line}");
        }
        panic!("mosquitto has ended");
    })
    .await
    .expect("mosquitto did not start");
    // Its log is read on, so that it never waits for us.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    child
}
