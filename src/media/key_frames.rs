//! Merging key-frame requests: whoever asks, an encoder makes at most one in each interval.

use std::time::{Duration, Instant};

/// Shortest time between two forced key frames of one encoder. A newcomer alone causes two requests
/// within 20 ms, and a key frame costs everybody bandwidth.
pub(crate) const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(300);

/// Decides when an encoder is asked for a key frame. Requests that come too soon are put off, not dropped.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeyFrameRequests {
    last: Option<Instant>,
    due: Option<Instant>,
}

impl KeyFrameRequests {
    /// Notes a request. True: force a key frame now.
    pub(crate) fn request(&mut self, now: Instant) -> bool {
        match self.last.map(|last| last + KEY_FRAME_INTERVAL) {
            Some(next) if next > now => {
                self.due = Some(next);
                false
            }
            _ => {
                self.force(now);
                true
            }
        }
    }

    /// Notes a request that will be made again for as long as it is not served: one that comes too soon
    /// is left out.
    pub(crate) fn repeat(&mut self, now: Instant) -> bool {
        let ready = self
            .last
            .is_none_or(|last| last + KEY_FRAME_INTERVAL <= now);
        if ready {
            self.force(now);
        }
        ready
    }

    /// When [`KeyFrameRequests::expire`] should be called.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// True: a request that was put off is due, force a key frame now.
    pub(crate) fn expire(&mut self, now: Instant) -> bool {
        let due = self.due.is_some_and(|due| due <= now);
        if due {
            self.force(now);
        }
        due
    }

    fn force(&mut self, now: Instant) {
        self.last = Some(now);
        self.due = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_is_served_at_once_and_those_that_follow_are_merged_into_one() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut requests = KeyFrameRequests::default();
        assert!(requests.request(at(0)));
        assert!(!requests.request(at(10)));
        assert!(!requests.request(at(200)));
        assert_eq!(requests.due(), Some(at(300)));
        assert!(!requests.expire(at(299)));
        assert!(requests.expire(at(300)));
        assert_eq!(requests.due(), None);
        assert!(!requests.request(at(400)));
        assert!(requests.expire(at(600)));
        assert!(requests.request(at(2000)));
    }
}
