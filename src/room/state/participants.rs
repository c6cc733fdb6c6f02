//! Who is in the room, oneself included, and who waits outside.

use roomd_protocol::{
    ClientId, DeviceId, Secret, StreamId,
    records::{RoleName, StickyReaction},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::media_port::RemoteTracks;

/// Oneself in the room.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalParticipant {
    /// Own id, empty before the first join.
    pub id: ClientId,
    /// Shown name.
    pub display_name: String,
    /// What one is in the room.
    pub role_name: RoleName,
    /// Microphone on, as the room knows it.
    pub is_audio_enabled: bool,
    /// Camera on, as the room knows it.
    pub is_video_enabled: bool,
    /// Always true.
    pub is_local_participant: bool,
    /// Sharing a screen.
    pub is_screen_sharing: bool,
    /// Own breakout group; `None` and `""` are the main room.
    pub breakout_group: Option<String>,
    /// Id of the group one is assigned to, `""` for none.
    pub breakout_group_assigned: String,
    /// The raised hand; lowered again it is `null`.
    pub sticky_reaction: Option<StickyReaction>,
    /// Joined by telephone; never set from the options.
    pub is_dial_in: bool,
    /// Records sound only; never set from the options.
    pub is_audio_recorder: bool,
    /// Needed to get the same id back; a secret, never published.
    #[serde(skip)]
    #[schemars(skip)]
    pub client_claim: Option<Secret>,
}

impl Default for LocalParticipant {
    fn default() -> Self {
        Self {
            id: ClientId::default(),
            display_name: String::new(),
            role_name: RoleName::None,
            is_audio_enabled: true,
            is_video_enabled: true,
            is_local_participant: true,
            is_screen_sharing: false,
            breakout_group: None,
            breakout_group_assigned: String::new(),
            sticky_reaction: None,
            is_dial_in: false,
            is_audio_recorder: false,
            client_claim: None,
        }
    }
}

/// Somebody else in the room.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteParticipant {
    /// Its id.
    pub id: ClientId,
    /// Its device.
    pub device_id: DeviceId,
    /// Shown name.
    pub display_name: String,
    /// What it is in the room.
    pub role_name: RoleName,
    /// Microphone on.
    pub is_audio_enabled: bool,
    /// Camera on.
    pub is_video_enabled: bool,
    /// Always false.
    pub is_local_participant: bool,
    /// Camera and microphone as they arrive here.
    pub stream: Option<RemoteStream>,
    /// Screenshare as it arrives here.
    pub presentation_stream: Option<RemoteStream>,
    /// The integrator's id.
    pub external_id: Option<String>,
    /// The raised hand.
    pub sticky_reaction: Option<StickyReaction>,
    /// Joined by telephone.
    pub is_dial_in: bool,
    /// Records sound only.
    pub is_audio_recorder: bool,
    /// Breakout group, `None` is the main room.
    pub breakout_group: Option<String>,
    /// Id of the group it is assigned to, `""` for none.
    pub breakout_group_assigned: String,
    /// Ids of the streams that the room knows of: `"0"` and screenshares.
    #[serde(skip)]
    #[schemars(skip)]
    pub streams: Vec<StreamId>,
    /// Present since before we joined: we are the one to ask it for an offer.
    #[serde(skip)]
    #[schemars(skip)]
    pub was_here_first: bool,
    /// Its media is wanted: it is not in another breakout group.
    #[serde(skip)]
    #[schemars(skip)]
    pub is_accepted: bool,
    /// Shares that were ended and still stand in the description: what arrives of them is no share any more.
    #[serde(skip)]
    #[schemars(skip)]
    pub ended_shares: Vec<StreamId>,
}

/// A stream that arrives from somebody.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RemoteStream {
    /// Its id in the sender's description.
    #[serde(skip)]
    #[schemars(skip)]
    pub id: StreamId,
    /// What arrives.
    #[serde(flatten)]
    pub tracks: RemoteTracks,
}

/// Somebody who waits outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitingParticipant {
    /// The id it will have inside.
    pub id: ClientId,
    /// Shown name.
    pub display_name: Option<String>,
}
