//! What the tasks of devices tell the task of the panel, and who hears when devices come and go.

use std::{
    collections::BTreeSet,
    io,
    mem::MaybeUninit,
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
    time::Instant,
};

use evdev::{EventSummary, KeyCode, SwitchCode};
use rustix::fs::inotify;
use tokio::{io::unix::AsyncFd, sync::mpsc::UnboundedSender};

use crate::gesture::Edge;

/// A word of a device.
#[derive(Debug)]
pub(crate) enum News {
    /// A key of an input device.
    Key(PathBuf, KeyCode, Edge, Instant),
    /// A switch of an input device.
    Switch(PathBuf, SwitchCode, bool),
    /// The input device is gone: why.
    Gone(PathBuf, String),
    /// A GPIO line of this use is active, or not.
    Line(Use, bool, Instant),
    /// The line of this use is gone: why.
    LineGone(Use, String),
    /// Nodes came or went, or changed their rights.
    NodesChanged,
}

/// What a GPIO line is there for: a row of buttons or of switches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Use {
    /// Row of the table's buttons.
    Button(usize),
    /// Row of the table's switches.
    Switch(usize),
}

/// Reads an input device until it is gone.
pub(crate) async fn read_device(
    node: PathBuf,
    mut stream: evdev::EventStream,
    news: UnboundedSender<News>,
) {
    loop {
        let event = match stream.next_event().await {
            Ok(event) => event,
            Err(error) => {
                // Nobody hears when the panel ends.
                let _ = news.send(News::Gone(node, error.to_string()));
                return;
            }
        };
        let word = match event.destructure() {
            EventSummary::Key(_, key, 1) => {
                News::Key(node.clone(), key, Edge::Down, Instant::now())
            }
            EventSummary::Key(_, key, 0) => News::Key(node.clone(), key, Edge::Up, Instant::now()),
            EventSummary::Switch(_, switch, value) => {
                News::Switch(node.clone(), switch, value != 0)
            }
            _ => continue,
        };
        if news.send(word).is_err() {
            return;
        }
    }
}

/// Says so whenever a node appears, vanishes or changes its rights, for ever.
/// `names` are of interest beside the kernel's own.
pub(crate) async fn watch_nodes(
    folders: Vec<PathBuf>,
    names: BTreeSet<String>,
    news: UnboundedSender<News>,
) {
    if let Err(error) = watch(&folders, &names, &news).await {
        tracing::error!(%error, "cannot watch for devices: one that is plugged in later is found after a restart");
    }
}

async fn watch(
    folders: &[PathBuf],
    names: &BTreeSet<String>,
    news: &UnboundedSender<News>,
) -> io::Result<()> {
    let descriptor = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
    let descriptor = watched(descriptor)?;
    watch_folders(descriptor.get_ref(), folders)?;
    // What came before the watch stood.
    let mut is_new = true;
    loop {
        if is_new && news.send(News::NodesChanged).is_err() {
            return Ok(());
        }
        let mut guard = descriptor.readable().await?;
        match guard.try_io(|descriptor| drain(descriptor.get_ref(), names)) {
            Ok(changed) => is_new = changed?,
            Err(_would_block) => is_new = false,
        }
        // A folder that comes later, as /dev/input with the first device, is watched from then on.
        if is_new {
            watch_folders(descriptor.get_ref(), folders)?;
        }
    }
}

fn watch_folders(descriptor: &OwnedFd, folders: &[PathBuf]) -> io::Result<()> {
    use inotify::WatchFlags as W;
    for folder in folders {
        let what = W::CREATE | W::DELETE | W::ATTRIB | W::MOVED_TO | W::MOVED_FROM;
        match inotify::add_watch(descriptor, folder, what) {
            Ok(_) => {}
            Err(rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Reads what is there; whether a node of interest was among it.
fn drain(descriptor: &OwnedFd, names: &BTreeSet<String>) -> io::Result<bool> {
    let mut buffer = [const { MaybeUninit::uninit() }; 4096];
    let mut reader = inotify::Reader::new(descriptor, &mut buffer);
    let mut is_ours = false;
    loop {
        match reader.next() {
            Ok(event) => {
                let name = event.file_name().and_then(|name| name.to_str().ok());
                is_ours |= name.is_none_or(|name| is_of_interest(name) || names.contains(name));
            }
            Err(rustix::io::Errno::WOULDBLOCK) if is_ours => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_of_interest(name: &str) -> bool {
    ["event", "input", "gpiochip"]
        .iter()
        .any(|begin| name.starts_with(begin))
}

/// A descriptor that tokio watches. It belongs to the value and is never exchanged, which is all that the
/// constructor asks; its successor is `unsafe` to call, and this project has no unsafe code.
#[allow(deprecated, reason = "the successor needs an unsafe block")]
pub(crate) fn watched<T: AsRawFd>(inner: T) -> io::Result<AsyncFd<T>> {
    AsyncFd::new(inner)
}

/// A node as messages show it.
pub(crate) fn shown(node: &Path) -> String {
    node.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{sync::mpsc, time::timeout};

    use super::*;

    async fn hears(news: &mut mpsc::UnboundedReceiver<News>) {
        let word = timeout(Duration::from_secs(10), news.recv()).await;
        assert!(matches!(word, Ok(Some(News::NodesChanged))), "{word:?}");
    }

    #[tokio::test]
    async fn nodes_that_come_go_or_change_their_rights_are_noticed_and_others_are_not() {
        let root = tempfile::tempdir().unwrap();
        let input = root.path().join("input");
        let (tell, mut news) = mpsc::unbounded_channel();
        tokio::spawn(watch_nodes(
            vec![root.path().into(), input.clone()],
            BTreeSet::from(["remote".to_owned()]),
            tell,
        ));
        hears(&mut news).await;
        std::fs::create_dir(&input).unwrap();
        hears(&mut news).await;
        let node = input.join("event0");
        // The watch on the folder stands before the word about it was sent.
        std::fs::write(&node, "").unwrap();
        hears(&mut news).await;
        std::fs::write(root.path().join("tty1"), "").unwrap();
        std::fs::remove_file(&node).unwrap();
        hears(&mut news).await;
        std::fs::write(root.path().join("remote"), "").unwrap();
        hears(&mut news).await;
    }
}
