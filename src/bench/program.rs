//! Programs under measurement: this very binary, started with other arguments; they end with their handle.

use std::{
    ffi::OsStr,
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

/// How long a program may take to end after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(15);

/// A running program.
#[derive(Debug)]
pub(super) struct Program {
    name: String,
    child: Child,
    pid: u32,
    log: PathBuf,
    output: Option<Lines<BufReader<ChildStdout>>>,
}

impl Program {
    /// Starts `roomd` with these arguments; what it says on standard error goes to a file in `folder`.
    pub(super) fn roomd(
        name: &str,
        folder: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        Self::start(name, folder, Command::new(program).args(arguments))
    }

    /// Starts any program in the same way, without the variables that would change roomd's configuration.
    pub(super) fn start(name: &str, folder: &Path, command: &mut Command) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("ROOMD_") {
                command.env_remove(variable);
            }
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let pid = child.id().context("it has ended at once")?;
        let output = child
            .stdout
            .take()
            .map(|output| BufReader::new(output).lines());
        Ok(Self {
            name: name.to_owned(),
            child,
            pid,
            log,
            output,
        })
    }

    /// Its process id.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// The next line of its standard output.
    pub(super) async fn line(&mut self) -> anyhow::Result<String> {
        let line = match &mut self.output {
            Some(output) => output.next_line().await?,
            None => None,
        };
        match line {
            Some(line) => Ok(line),
            None => bail!("{} has ended:\n{}", self.name, self.tail()),
        }
    }

    /// Its standard output, for who reads it otherwise.
    pub(super) fn take_output(&mut self) -> Option<ChildStdout> {
        Some(self.output.take()?.into_inner().into_inner())
    }

    /// The file of what it says on standard error.
    pub(super) fn log_path(&self) -> PathBuf {
        self.log.clone()
    }

    /// What it said on standard error.
    pub(super) fn log(&self) -> String {
        // A file that cannot be read says nothing; it is for messages only.
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The last lines of that.
    pub(super) fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    /// Fails when it has ended.
    pub(super) fn check(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} has ended ({status}):\n{}", self.name, self.tail());
        }
        Ok(())
    }

    /// Asks it to end and waits; what does not listen is killed, which is an error.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        let asked = Command::new("kill")
            .args(["-TERM", &self.pid.to_string()])
            .status()
            .await
            .context("cannot start kill")?;
        if asked.success() && timeout(PATIENCE, self.child.wait()).await.is_ok() {
            return Ok(());
        }
        self.child.kill().await?;
        bail!("{} did not end after SIGTERM:\n{}", self.name, self.tail());
    }
}
