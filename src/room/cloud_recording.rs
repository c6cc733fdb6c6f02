//! The recording as the room shows it.
//!
//! Start and error outlive the status: a later request shows the old values again, as the SDK does.

use roomd_protocol::{ClientMessage, client::StartRecording, server::CloudRecordingStarted};

use crate::{
    input::{Now, Refusal},
    room_connection::RoomConnection,
    state::{CloudRecording, CloudRecordingStatus as Status},
};

/// What is remembered while there is no status.
#[derive(Debug, Default)]
pub(crate) struct LastRecording {
    started_at: Option<i64>,
    error: Option<String>,
}

impl RoomConnection {
    pub(crate) fn start_cloud_recording(&mut self) -> Result<(), Refusal> {
        self.require_connected()?;
        let known = self.state.cloud_recording.as_ref();
        if known.is_none_or(|known| known.status == Status::Error) {
            self.send(ClientMessage::StartRecording(StartRecording {
                recording: "cloud".to_owned(),
            }));
            self.show_recording(Status::Requested);
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
        self.last_recording.started_at = Some(started.as_millisecond());
        self.show_recording(Status::Recording);
    }

    pub(crate) fn cloud_recording_started(&mut self, started: CloudRecordingStarted) {
        if let Some(error) = started.error {
            self.last_recording.error = Some(error);
            self.show_recording(Status::Error);
        }
    }

    fn show_recording(&mut self, status: Status) {
        self.state.cloud_recording = Some(CloudRecording {
            status,
            started_at: self.last_recording.started_at,
            error: self.last_recording.error.clone(),
        });
    }
}
