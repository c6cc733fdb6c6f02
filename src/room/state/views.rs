//! Tiles, and who sits with whom in breakout groups.

use indexmap::IndexMap;
use roomd_protocol::{ClientId, StreamId};
use schemars::JsonSchema;
use serde::Serialize;

use super::RemoteStream;

/// One tile: a participant or a screenshare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientView {
    /// Client id, `pres-<client id>` or `local-screenshare`.
    pub id: String,
    /// Whose.
    pub client_id: ClientId,
    /// Shown name.
    pub display_name: String,
    /// What it can show, `null` while nothing arrives.
    pub stream: Option<ViewStream>,
    /// One's own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_local_client: bool,
    /// Microphone on; for one's own screenshare: it has sound.
    pub is_audio_enabled: bool,
    /// Camera on; always true for screenshares.
    pub is_video_enabled: bool,
    /// A screenshare.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_presentation: bool,
    /// Its owner shares a screen (remote cameras only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_active_presentation: Option<bool>,
    /// Breakout group.
    pub breakout_group: Option<String>,
    /// Assigned group (remote cameras only).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breakout_group_assigned: Option<String>,
}

/// The media behind a tile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewStream {
    /// Its id in the sender's description.
    #[serde(skip)]
    #[schemars(skip)]
    pub id: StreamId,
    /// There is a picture.
    pub video: bool,
    /// There is sound.
    pub audio: bool,
}

impl From<&RemoteStream> for ViewStream {
    fn from(stream: &RemoteStream) -> Self {
        Self {
            id: stream.id.clone(),
            video: stream.tracks.video,
            audio: stream.tracks.audio,
        }
    }
}

/// Breakout groups as they are now.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BreakoutState {
    /// A session goes on.
    pub is_active: bool,
    /// The own group; `null` in the main room and where the group has no name.
    pub current_group: Option<BreakoutGroup>,
    /// Who sits where: the main room first, then each group; empty while no session goes on.
    pub grouped_participants: Vec<GroupedParticipants>,
    /// Tiles of the own group and of who is assigned to it; all tiles outside a group.
    pub participants_in_current_group: Vec<ClientView>,
    /// The room can have groups: its mode is `group`.
    pub is_available: bool,
    /// Why the last start was refused here.
    pub error: Option<String>,
    /// Group id → name, `null` when none were ever made.
    pub groups: Option<IndexMap<String, String>>,
    /// Participants may only enter the group they are assigned to.
    pub enforce_assignment: bool,
    /// The server moves assigned participants into their groups.
    pub auto_move_to_group: bool,
    /// Seconds until then.
    pub move_to_group_grace_period: f64,
    /// The server moves everybody back at the end.
    pub auto_move_to_main: bool,
    /// Seconds until then.
    pub move_to_main_grace_period: f64,
    /// A timer runs.
    pub breakout_timer_setting: bool,
    /// Its length in seconds.
    pub breakout_timer_duration: f64,
    /// Start of the session (ISO 8601), `null` while none goes on.
    pub started_at: Option<String>,
    /// End of the timer, milliseconds since the epoch; computed also where no timer runs.
    pub end_time: Option<i64>,
    /// When the server moves into the groups, milliseconds since the epoch.
    pub move_to_group_at: Option<i64>,
    /// When the server moves back, milliseconds since the epoch.
    pub move_to_main_at: Option<i64>,
    /// Who in the main room is heard in the own group.
    pub broadcasting_participants: Vec<ClientView>,
}

impl Default for BreakoutState {
    fn default() -> Self {
        Self {
            is_active: false,
            current_group: None,
            grouped_participants: Vec::new(),
            participants_in_current_group: Vec::new(),
            is_available: false,
            error: None,
            groups: None,
            enforce_assignment: false,
            auto_move_to_group: false,
            move_to_group_grace_period: 10.0,
            auto_move_to_main: false,
            move_to_main_grace_period: 30.0,
            breakout_timer_setting: false,
            breakout_timer_duration: 1800.0,
            started_at: None,
            end_time: None,
            move_to_group_at: None,
            move_to_main_at: None,
            broadcasting_participants: Vec::new(),
        }
    }
}

/// A breakout group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BreakoutGroup {
    /// Its id, `""` for the main room.
    pub id: String,
    /// Its name, `""` for the main room.
    pub name: String,
}

/// The tiles of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GroupedParticipants {
    /// Who is in it.
    pub clients: Vec<ClientView>,
    /// Which group.
    pub group: BreakoutGroup,
}
