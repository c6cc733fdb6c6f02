//! Log lines as the journal wants them: each with its priority in front (`sd-daemon(3)`), so that
//! `journalctl -p warning` works.

use std::{
    env,
    fs::File,
    io::{self, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::MetadataExt,
    },
};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// Makes writers that put the priority of an event in front of each of its lines.
///
/// Used with a formatter that leaves time and level out, since the journal has both:
/// `fmt().with_writer(PriorityPrefix(io::stderr)).without_time().with_level(false).with_ansi(false)`.
#[derive(Clone, Copy, Debug)]
pub struct PriorityPrefix<M>(
    /// Makes the writers that get the lines.
    pub M,
);

/// Writes lines with a priority in front.
#[derive(Debug)]
pub struct PrefixedLines<W> {
    lines: W,
    priority: u8,
    at_start: bool,
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for PriorityPrefix<M> {
    type Writer = PrefixedLines<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        PrefixedLines::new(self.0.make_writer(), Level::INFO)
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Self::Writer {
        PrefixedLines::new(self.0.make_writer_for(metadata), *metadata.level())
    }
}

impl<W> PrefixedLines<W> {
    fn new(lines: W, level: Level) -> Self {
        Self {
            lines,
            priority: priority(level),
            at_start: true,
        }
    }
}

impl<W: Write> Write for PrefixedLines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut prefixed = Vec::with_capacity(bytes.len() + 4);
        for &byte in bytes {
            if self.at_start {
                prefixed.extend_from_slice(format!("<{}>", self.priority).as_bytes());
            }
            prefixed.push(byte);
            self.at_start = byte == b'\n';
        }
        self.lines.write_all(&prefixed)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lines.flush()
    }
}

/// The priority of `syslog(3)`: 3 error, 4 warning, 6 informational, 7 debug.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}

/// Whether standard error leads to the journal: `$JOURNAL_STREAM` names its device and inode
/// (`systemd.exec(5)`). A redirected standard error is another one and does not match.
#[must_use]
pub fn is_standard_error_the_journal() -> bool {
    let stream = env::var("JOURNAL_STREAM").unwrap_or_default();
    leads_to(io::stderr().as_fd(), &stream)
}

fn leads_to(stream: BorrowedFd<'_>, journal: &str) -> bool {
    let Ok(file) = stream.try_clone_to_owned().map(File::from) else {
        return false;
    };
    let Ok(metadata) = file.metadata() else {
        return false;
    };
    journal == format!("{}:{}", metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn every_line_has_the_priority_of_its_event() {
        for (level, text, expected) in [
            (Level::ERROR, "camera lost\n", "<3>camera lost\n"),
            (Level::WARN, "one\ntwo\n", "<4>one\n<4>two\n"),
            (Level::INFO, "joined\n", "<6>joined\n"),
            (Level::TRACE, "", ""),
        ] {
            let mut writer = PrefixedLines::new(Vec::new(), level);
            writer.write_all(text.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(writer.lines).unwrap(), expected);
        }
    }

    #[test]
    fn a_line_written_in_pieces_has_one_prefix() {
        let mut writer = PrefixedLines::new(Vec::new(), Level::DEBUG);
        for piece in ["a", "b\nc", "\n"] {
            writer.write_all(piece.as_bytes()).unwrap();
        }
        assert_eq!(writer.lines, b"<7>ab\n<7>c\n");
    }

    #[test]
    fn the_subscriber_of_tracing_writes_through_it() {
        use std::sync::{Arc, Mutex};
        let lines = Arc::new(Mutex::new(Vec::new()));
        #[derive(Clone)]
        struct Kept(Arc<Mutex<Vec<u8>>>);
        impl Write for Kept {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let kept = Kept(Arc::clone(&lines));
        let subscriber = tracing_subscriber::fmt()
            .with_writer(PriorityPrefix(move || kept.clone()))
            .without_time()
            .with_level(false)
            .with_target(false)
            .with_ansi(false)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!("no camera");
            tracing::info!("joined");
        });
        assert_eq!(
            String::from_utf8(lines.lock().unwrap().clone()).unwrap(),
            "<4>no camera\n<6>joined\n"
        );
    }

    #[test]
    fn the_journal_is_recognised_by_device_and_inode() {
        let (stream, other) = UnixStream::pair().unwrap();
        let metadata = File::from(stream.as_fd().try_clone_to_owned().unwrap())
            .metadata()
            .unwrap();
        let journal = format!("{}:{}", metadata.dev(), metadata.ino());
        assert!(leads_to(stream.as_fd(), &journal));
        assert!(!leads_to(other.as_fd(), &journal));
        assert!(!leads_to(stream.as_fd(), ""));
    }
}
