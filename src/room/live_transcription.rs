//! The transcription as the room shows it.

use roomd_protocol::{ClientMessage, server::LiveTranscriptionStarted};

use crate::{
    input::{Now, Refusal},
    room_connection::RoomConnection,
    state::{LiveTranscription, LiveTranscriptionStatus as Status},
};

impl RoomConnection {
    pub(crate) fn start_live_transcription(&mut self) -> Result<(), Refusal> {
        self.require_connected()?;
        let known = self.state.live_transcription.as_ref();
        if known.is_none_or(|known| known.status == Status::Error) {
            self.send(ClientMessage::StartLiveTranscription);
            self.state.live_transcription = Some(LiveTranscription {
                status: Status::Requested,
                started_at: None,
                error: None,
            });
        }
        Ok(())
    }

    pub(crate) fn stop_live_transcription(&mut self) -> Result<(), Refusal> {
        self.require_connected()?;
        self.send(ClientMessage::StopLiveTranscription);
        Ok(())
    }

    pub(crate) fn live_transcription_started(
        &mut self,
        now: Now,
        started: LiveTranscriptionStarted,
    ) {
        let (status, started_at) = match started.error {
            Some(_) => (Status::Error, None),
            None => (Status::Transcribing, Some(now.wall.as_millisecond())),
        };
        self.state.live_transcription = Some(LiveTranscription {
            status,
            started_at,
            error: started.error,
        });
    }

    /// A room that is transcribed says so at the join; one that says nothing changes nothing.
    pub(crate) fn transcription_joined(&mut self, id: Option<&str>) {
        if id.is_none_or(str::is_empty) {
            return;
        }
        let known = self.state.live_transcription.take();
        self.state.live_transcription = Some(LiveTranscription {
            status: Status::Transcribing,
            started_at: known.and_then(|known| known.started_at),
            error: None,
        });
    }
}
