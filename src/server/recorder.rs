//! Recorders: one process for each recording, started when a host asks for it.
//!
//! The process gets the address of the room with its key in `ROOMD_RECORD_URL`, never as an
//! argument, where everybody on the machine could read it. It joins as any client does. It is to
//! end when its standard input does, or when it is sent out of the room, whichever it notices
//! first; one that does not is killed. Its exit code says why it ended before its time.

use std::{collections::HashMap, path::PathBuf, process::Stdio, time::Duration};

use roomd_protocol::{ClientId, Secret};
use tokio::process::Command as Process;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use crate::{
    room_loop::{Command, WeakInbox},
    rooms::ENDED,
};

/// Variable of the environment with the address of the room, key included.
pub const URL_VARIABLE: &str = "ROOMD_RECORD_URL";

/// Variable of the environment with the certificate (PEM file) to trust there, where the server has
/// made its own.
pub const CA_VARIABLE: &str = "ROOMD_RECORD_CA_FILE";

/// Exit code of a recorder that ended because there is no room for more (`EX_CANTCREAT` of
/// `sysexits.h`).
pub const EXIT_FULL: u8 = 73;

/// How long a recorder may take to finish its files.
pub(crate) const FINISHES_WITHIN: Duration = Duration::from_secs(20);

/// What people read when the process cannot be started, or has no room for more.
const NOT_STARTED: &str = "recorder_not_started";
const FULL: &str = "recorder_storage_full";

/// Where recorders find the server.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Its address.
    pub(crate) url: Url,
    /// Its own certificate, if it has made one.
    pub(crate) ca_file: Option<PathBuf>,
}

/// The processes that run.
pub(crate) struct Recorders {
    /// Program and arguments; empty when recording is not offered.
    command: Vec<String>,
    place: Place,
    /// Cancelled when the server shuts down.
    stop: CancellationToken,
    tasks: TaskTracker,
    running: HashMap<ClientId, CancellationToken>,
}

impl Recorders {
    pub(crate) fn new(
        command: Vec<String>,
        place: Place,
        stop: CancellationToken,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            command,
            place,
            stop,
            tasks,
            running: HashMap::new(),
        }
    }

    /// Starts one; the inbox hears of its end.
    pub(crate) fn start(
        &mut self,
        recorder: ClientId,
        room: String,
        key: &Secret,
        inbox: WeakInbox,
    ) {
        let stop = self.stop.child_token();
        self.running.insert(recorder.clone(), stop.clone());
        let mut url = self.place.url.clone();
        url.set_path(&room);
        url.query_pairs_mut().append_pair("roomKey", key.reveal());
        let process = self.command.split_first().map(|(program, arguments)| {
            let mut process = Process::new(program);
            process
                .args(arguments)
                .env(URL_VARIABLE, url.as_str())
                .stdin(Stdio::piped())
                .kill_on_drop(true);
            if let Some(file) = &self.place.ca_file {
                process.env(CA_VARIABLE, file);
            }
            process
        });
        self.tasks.spawn(async move {
            let reason = match process {
                Some(process) => run(process, &room, stop).await,
                None => Some(NOT_STARTED),
            };
            let ended = Command::RecorderEnded {
                recorder,
                room,
                reason,
            };
            inbox.tell(ended).await;
        });
    }

    /// Tells one to finish.
    pub(crate) fn stop(&mut self, recorder: &ClientId) {
        if let Some(stop) = self.running.remove(recorder) {
            stop.cancel();
        }
    }

    /// One has ended.
    pub(crate) fn forget(&mut self, recorder: &ClientId) {
        self.running.remove(recorder);
    }
}

/// Runs the process to its end; what went wrong.
async fn run(mut process: Process, room: &str, stop: CancellationToken) -> Option<&'static str> {
    let mut child = match process.spawn() {
        Ok(child) => child,
        Err(error) => {
            let program = process.as_std().get_program().to_owned();
            tracing::error!(?program, %error, "the recorder cannot be started: check server.recorder_command");
            return Some(NOT_STARTED);
        }
    };
    let input = child.stdin.take();
    tracing::info!(room, pid = child.id(), "a recorder was started");
    let status = tokio::select! {
        status = child.wait() => status,
        () = stop.cancelled() => {
            drop(input);
            match tokio::time::timeout(FINISHES_WITHIN, child.wait()).await {
                Ok(status) => status,
                Err(_) => {
                    tracing::error!(room, "the recorder does not finish and is killed");
                    child.kill().await.and(child.wait().await)
                }
            }
        }
    };
    match &status {
        Ok(status) if status.success() => tracing::info!(room, "the recorder has ended"),
        Ok(status) => tracing::error!(room, %status, "the recorder failed"),
        Err(error) => tracing::error!(room, %error, "the recorder was lost"),
    }
    match status.ok().and_then(|status| status.code()) {
        Some(0) => None,
        Some(code) if code == i32::from(EXIT_FULL) => Some(FULL),
        _ => Some(ENDED),
    }
}
