//! HD, low data and widescreen: how large a picture the camera is asked for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{media_port::MediaCommand, room_connection::RoomConnection};

/// How the camera is captured. Survives leaving and joining.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CaptureProfile {
    /// The full height instead of 360 lines.
    pub hd: bool,
    /// 360 lines, without HD 270.
    pub low_data: bool,
    /// 16:9 instead of 4:3.
    pub widescreen: bool,
}

impl Default for CaptureProfile {
    fn default() -> Self {
        Self {
            hd: true,
            low_data: false,
            widescreen: true,
        }
    }
}

impl CaptureProfile {
    /// The greatest height in lines, `None` for as high as is configured.
    #[must_use]
    pub fn height(self) -> Option<u32> {
        match (self.hd, self.low_data) {
            (true, false) => None,
            (true, true) | (false, false) => Some(360),
            (false, true) => Some(270),
        }
    }
}

impl RoomConnection {
    /// Changes the profile; the engine hears of it only when it did change.
    pub(crate) fn change_profile(&mut self, change: impl FnOnce(&mut CaptureProfile)) {
        let mut profile = self.state.capture_profile;
        change(&mut profile);
        if profile != self.state.capture_profile {
            self.state.capture_profile = profile;
            self.media_command(MediaCommand::CaptureProfile(profile));
        }
    }
}
