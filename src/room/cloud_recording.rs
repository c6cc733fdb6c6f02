//! The recording as the room shows it.

use roomd_protocol::{ClientMessage, client::StartRecording, server::CloudRecordingStarted};

use crate::{
    input::{Now, Refusal},
    room_connection::RoomConnection,
    state::{CloudRecording, CloudRecordingStatus},
};

impl RoomConnection {
    pub(crate) fn start_cloud_recording(&mut self) -> Result<(), Refusal> {
        self.require_connected()?;
        let running = self
            .state
            .cloud_recording
            .as_ref()
            .is_some_and(|recording| recording.status != CloudRecordingStatus::Error);
        if !running {
            self.send(ClientMessage::StartRecording(StartRecording {
                recording: "cloud".to_owned(),
            }));
            self.state.cloud_recording = Some(CloudRecording {
                status: CloudRecordingStatus::Requested,
                started_at: None,
                error: None,
            });
        }
        Ok(())
    }

    pub(crate) fn stop_cloud_recording(&mut self) -> Result<(), Refusal> {
        self.require_connected()?;
        self.send(ClientMessage::StopRecording);
        Ok(())
    }

    /// Only the recorder's coming means that it records.
    pub(crate) fn recorder_joined(&mut self, now: Now, started_at: Option<&str>) {
        let started = started_at
            .and_then(|text| text.parse().ok())
            .unwrap_or(now.wall);
        self.state.cloud_recording = Some(CloudRecording {
            status: CloudRecordingStatus::Recording,
            started_at: Some(started.as_millisecond()),
            error: None,
        });
    }

    pub(crate) fn cloud_recording_started(&mut self, started: CloudRecordingStarted) {
        if let Some(error) = started.error {
            self.state.cloud_recording = Some(CloudRecording {
                status: CloudRecordingStatus::Error,
                started_at: None,
                error: Some(error),
            });
        }
    }
}
