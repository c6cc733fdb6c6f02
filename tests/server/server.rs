//! The room server as a process.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use roomd_protocol::records::DeviceCredentials;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Longer than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// One test at a time: what one does to the processors must not be laid at another's door.
static ALONE: Mutex<()> = Mutex::new(());

/// `roomd room-server`, ended with its handle.
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Server {
    /// Starts it on a free port, without encryption and with everybody a host where `role` says so.
    pub(crate) fn start(role: &str) -> Self {
        // A test that failed before has harmed nothing here.
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        roomd::room_server::allow_many_files().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("roomd.toml");
        let text = format!(
            "[server]\ntls = {{ mode = \"off\" }}\nunlisted_role = \"{role}\"\ngrace_seconds = 0\n\
             [server.limits]\ndevices_per_minute = 100000\nclients_per_room = 32\n"
        );
        std::fs::write(&config, text).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_roomd"))
            .args(["room-server", "--ephemeral", "--listen", "127.0.0.1:0"])
            .arg("--config")
            .arg(&config)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map(|line| line.unwrap())
            .find_map(|line| Some(line.strip_prefix("room page: http://")?.to_owned()))
            .expect("the server says where it is");
        // Whatever it says later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            process,
            address: url.trim_end_matches('/').parse().unwrap(),
            _folder: folder,
            _alone: alone,
        }
    }

    /// Memory of the process that is in use now, in kilobytes.
    pub(crate) fn resident(&self) -> u64 {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).expect("the server runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let value = line.unwrap().trim().trim_end_matches(" kB");
        value.parse().unwrap()
    }

    /// Open files of the process: one for each connection.
    pub(crate) fn files(&self) -> usize {
        let path = format!("/proc/{}/fd", self.process.id());
        std::fs::read_dir(path).expect("the server runs").count()
    }

    /// New credentials from `POST /devices`.
    pub(crate) async fn device(&self) -> DeviceCredentials {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request =
            "POST /devices HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect(&answer);
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        serde_json::from_str(body).expect(body)
    }

    /// Waits until no more than `files` files are open.
    pub(crate) async fn until_files(&self, files: usize) {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let waiting = async {
            while self.files() > files {
                tick.tick().await;
            }
        };
        let is_closed = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(is_closed.is_ok(), "{} files are open", self.files());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
