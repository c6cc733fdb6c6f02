//! Captions: whether they come, and what is said now.

use std::time::Duration;

use roomd_protocol::{
    ClientMessage,
    server::{LiveCaption as WireLiveCaption, LiveCaptionsStarted},
};

use crate::{
    input::{Now, Refusal},
    room_connection::RoomConnection,
    state::{LiveCaption, LiveCaptions, LiveCaptionsStatus as Status},
    timers::Timer,
};

/// How long a result stays after its last change.
const SHOWN: Duration = Duration::from_secs(5);
/// More results at a time nobody can read, and none may fill the memory.
const KEPT_CAPTIONS: usize = 100;

impl RoomConnection {
    pub(crate) fn start_live_captions(&mut self) -> Result<(), Refusal> {
        self.require_connected()?;
        let known = self.state.live_captions.as_ref();
        if known.is_none_or(|known| known.status == Status::Error) {
            self.send(ClientMessage::LiveCaptionsEnabled);
            self.state.live_captions = Some(LiveCaptions {
                status: Status::Requested,
                started_at: None,
                error: None,
                caption_log: Vec::new(),
            });
        }
        Ok(())
    }

    pub(crate) fn stop_live_captions(&mut self) -> Result<(), Refusal> {
        self.require_connected()?;
        self.send(ClientMessage::LiveCaptionsDisabled);
        Ok(())
    }

    pub(crate) fn live_captions_started(&mut self, now: Now, started: LiveCaptionsStarted) {
        self.timers.clear_captions();
        let (status, started_at) = match started.error {
            Some(_) => (Status::Error, None),
            None => (Status::Captioning, Some(now.wall.as_millisecond())),
        };
        self.state.live_captions = Some(LiveCaptions {
            status,
            started_at,
            error: started.error,
            caption_log: Vec::new(),
        });
    }

    pub(crate) fn live_captions_stopped(&mut self) {
        self.timers.clear_captions();
        self.state.live_captions = None;
    }

    /// A caption carries the whole text of its result. It replaces the last entry of the log when
    /// that is the same result; a result that comes back later is a new entry.
    pub(crate) fn live_caption(&mut self, now: Now, caption: WireLiveCaption) {
        let Some(captions) = &mut self.state.live_captions else {
            return;
        };
        let log = &mut captions.caption_log;
        match log.last_mut() {
            Some(last) if last.result_id == caption.result_id => last.text = caption.text,
            _ => log.push(LiveCaption {
                result_id: caption.result_id.clone(),
                participant_id: caption.sender_id,
                text: caption.text,
                timestamp: now.wall.as_millisecond(),
            }),
        }
        if log.len() > KEPT_CAPTIONS {
            let gone = log.remove(0).result_id;
            if log.iter().all(|entry| entry.result_id != gone) {
                self.timers.clear(&Timer::Caption(gone));
            }
        }
        self.timers
            .set(Timer::Caption(caption.result_id), now.instant + SHOWN);
    }

    pub(crate) fn caption_expired(&mut self, result: &str) {
        if let Some(captions) = &mut self.state.live_captions {
            captions
                .caption_log
                .retain(|entry| entry.result_id != result);
        }
    }
}
