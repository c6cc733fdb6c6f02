//! Cameras and microphones that were lost while they worked: looked for again and again, and opened when they are back.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use roomd_room::CaptureReport;
use tokio::sync::mpsc;

use super::{Graph, what};
use crate::{
    capture::{CaptureRequest, Source},
    devices::{self, Device},
};

/// The first look after a loss; each that finds nothing doubles the time to the next.
const FIRST_LOOK: Duration = Duration::from_millis(250);
/// The longest time between two looks: a device that is plugged in again shall work within three seconds.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// What is waited for.
pub(super) struct Returning {
    lost: HashMap<Source, Look>,
    /// Sources that have had a device: a test picture never takes its place.
    had_device: HashSet<Source>,
    tell: mpsc::UnboundedSender<Vec<Device>>,
    news: mpsc::UnboundedReceiver<Vec<Device>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Look {
    /// `None` while a look or an attempt to open is under way.
    next: Option<Instant>,
    looks: u32,
}

impl Returning {
    pub(super) fn new() -> Self {
        let (tell, news) = mpsc::unbounded_channel();
        Self {
            lost: HashMap::new(),
            had_device: HashSet::new(),
            tell,
            news,
        }
    }

    /// Whether a device of this source has worked since the start.
    pub(super) fn had_device(&self, source: Source) -> bool {
        self.had_device.contains(&source)
    }

    /// A device of this source was opened.
    pub(super) fn remember(&mut self, source: Source) {
        self.had_device.insert(source);
    }

    /// It is not wanted any more.
    pub(super) fn forget(&mut self, source: Source) {
        self.lost.remove(&source);
    }

    /// Follows a report: after a loss, and after an attempt that failed, there is a next look. Not for a source that is not
    /// wanted (any more): its report may have been under way when it was switched off.
    pub(super) fn hear(
        &mut self,
        source: Source,
        is_wanted: bool,
        report: &CaptureReport,
        now: Instant,
    ) {
        if report.returning && is_wanted {
            let look = self.lost.entry(source).or_insert(Look {
                next: None,
                looks: 0,
            });
            look.put_off(now);
        } else {
            self.lost.remove(&source);
        }
    }

    /// When [`Returning::expire`] should be called.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.lost.values().filter_map(|look| look.next).min()
    }

    /// Looks for devices when it is time.
    pub(super) fn expire(&mut self, now: Instant) {
        let mut is_due = false;
        for look in self.lost.values_mut() {
            if look.next.is_some_and(|next| next <= now) {
                look.next = None;
                is_due = true;
            }
        }
        if is_due {
            let tell = self.tell.clone();
            tokio::task::spawn_blocking(move || {
                // The graph is gone when the engine stops.
                let _ = tell.send(devices::find());
            });
        }
    }

    /// The devices that a look found; waits for it. May be dropped while it waits.
    pub(super) async fn found(&mut self) -> Vec<Device> {
        match self.news.recv().await {
            Some(devices) => devices,
            // This holds a sender itself.
            None => std::future::pending().await,
        }
    }
}

impl Look {
    fn put_off(&mut self, now: Instant) {
        let delay = FIRST_LOOK.saturating_mul(2u32.saturating_pow(self.looks));
        self.next = Some(now + delay.min(LAST_LOOK));
        self.looks = self.looks.saturating_add(1);
    }
}

impl Graph {
    /// Opens what was lost, where there is a device for it now.
    pub(super) fn hear_devices(&mut self, devices: Vec<Device>) {
        self.devices = devices;
        let waiting: Vec<Source> = self
            .returning
            .lost
            .iter()
            .filter(|(_, look)| look.next.is_none())
            .map(|(source, _)| *source)
            .collect();
        for source in waiting {
            match self.line(source) {
                Ok(Some(line)) if !line.is_test || !self.returning.had_device(source) => {
                    self.capture(source, CaptureRequest::Open(line));
                }
                other => {
                    if let Err(error) = other {
                        tracing::warn!(error, "the {} cannot be opened", what(source));
                    }
                    if let Some(look) = self.returning.lost.get_mut(&source) {
                        look.put_off(Instant::now());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost() -> CaptureReport {
        CaptureReport {
            error: Some("unplugged".into()),
            returning: true,
            ..CaptureReport::default()
        }
    }

    #[test]
    fn looks_come_soon_first_and_never_more_than_a_second_apart() {
        let mut returning = Returning::new();
        let now = Instant::now();
        let mut delays = Vec::new();
        for _ in 0..5 {
            returning.hear(Source::Camera, true, &lost(), now);
            delays.push(returning.next_deadline().unwrap() - now);
        }
        assert_eq!(delays[0], FIRST_LOOK);
        assert_eq!(delays[1], FIRST_LOOK * 2);
        assert_eq!(delays[4], LAST_LOOK);
    }

    #[test]
    fn what_is_closed_or_works_is_not_looked_for() {
        let mut returning = Returning::new();
        let now = Instant::now();
        returning.hear(Source::Camera, true, &lost(), now);
        returning.hear(Source::Camera, true, &CaptureReport::default(), now);
        assert_eq!(returning.next_deadline(), None);
        returning.hear(Source::Microphone, true, &lost(), now);
        returning.forget(Source::Microphone);
        assert_eq!(returning.next_deadline(), None);
        // The report of a loss that was under way when it was switched off.
        returning.hear(Source::Microphone, false, &lost(), now);
        assert_eq!(returning.next_deadline(), None);
    }
}
