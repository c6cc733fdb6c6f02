//! Screenshares: one's own from capture to announcement, and the list of all.

use roomd_protocol::{
    ClientMessage, StreamId,
    client::{StartScreenshare, StopScreenshare},
};

use crate::{
    input::Refusal,
    media_port::MediaCommand,
    room_connection::RoomConnection,
    state::{ConnectionStatus, LocalScreenshareStatus, Screenshare, ViewStream},
};

/// The own screenshare while it is captured.
#[derive(Clone, Debug)]
pub(crate) struct OwnScreenshare {
    pub(crate) stream: StreamId,
    pub(crate) has_audio: bool,
}

impl RoomConnection {
    pub(crate) fn start_screenshare(&mut self, source: Option<String>) -> Result<(), Refusal> {
        self.require_connected()?;
        if self.state.local_screenshare_status.is_none() {
            self.state.local_screenshare_status = Some(LocalScreenshareStatus::Starting);
            self.media_command(MediaCommand::StartScreenshare { source });
        }
        Ok(())
    }

    pub(crate) fn stop_screenshare(&mut self) -> Result<(), Refusal> {
        self.require_connected()?;
        self.drop_screenshare(true);
        Ok(())
    }

    /// Announced before it is offered: the offer's `msid` tells the others what it is.
    /// In front here alone: whether the others see it in front is for the server to say.
    pub(crate) fn capture_started(&mut self, stream: StreamId, has_audio: bool) {
        if self.state.local_screenshare_status.is_none() {
            // Stopped while it was starting.
            self.media_command(MediaCommand::StopScreenshare);
            return;
        }
        self.own_screenshare = Some(OwnScreenshare {
            stream: stream.clone(),
            has_audio,
        });
        self.state.local_screenshare_status = Some(LocalScreenshareStatus::Active);
        self.state.local_participant.is_screen_sharing = true;
        self.spotlight(self.state.local_participant.id.clone(), stream.clone());
        if self.state.connection_status == ConnectionStatus::Connected {
            self.send(ClientMessage::StartScreenshare(StartScreenshare {
                stream_id: stream,
                has_audio_track: has_audio,
                receiver_id: None,
            }));
        }
    }

    /// The capture ended by itself or never began.
    pub(crate) fn capture_ended(&mut self) {
        if self.own_screenshare.is_some() {
            self.drop_screenshare(true);
        } else {
            self.state.local_screenshare_status = None;
        }
    }

    /// Takes the share away from everybody, then ends its capture. Who leaves need not announce it.
    pub(crate) fn drop_screenshare(&mut self, announce: bool) {
        if let Some(own) = self.own_screenshare.take() {
            self.state
                .spotlights
                .retain(|one| one.stream_id != own.stream);
            if announce && self.state.connection_status == ConnectionStatus::Connected {
                self.send(ClientMessage::StopScreenshare(StopScreenshare {
                    stream_id: own.stream,
                }));
            }
        }
        if self.state.local_screenshare_status.take().is_some() {
            self.media_command(MediaCommand::StopScreenshare);
        }
        self.state.local_participant.is_screen_sharing = false;
    }

    /// After a repeated join the server has forgotten the share.
    pub(crate) fn announce_screenshare_again(&mut self) {
        if let Some(own) = self.own_screenshare.clone() {
            self.send(ClientMessage::StartScreenshare(StartScreenshare {
                stream_id: own.stream,
                has_audio_track: own.has_audio,
                receiver_id: None,
            }));
        }
    }

    /// Rebuilds the list.
    pub(crate) fn publish_screenshares(&mut self) {
        let own = self.own_screenshare.as_ref().map(|own| Screenshare {
            participant_id: "local".to_owned(),
            id: own.stream.clone(),
            has_audio_track: own.has_audio,
            is_local: true,
            stream: Some(ViewStream {
                id: own.stream.clone(),
                video: true,
                audio: own.has_audio,
            }),
            breakout_group: self.state.local_participant.breakout_group.clone(),
        });
        let remote = self
            .state
            .remote_participants
            .iter()
            .filter_map(|participant| {
                let stream = participant.presentation_stream.as_ref()?;
                Some(Screenshare {
                    participant_id: participant.id.to_string(),
                    id: stream.id.clone(),
                    has_audio_track: stream.tracks.audio,
                    is_local: false,
                    stream: Some(ViewStream::from(stream)),
                    breakout_group: participant.breakout_group.clone(),
                })
            });
        let now: Vec<Screenshare> = own.into_iter().chain(remote).collect();
        self.state.screenshares = now;
    }
}
