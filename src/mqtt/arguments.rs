//! The arguments of every command, as types: what JSON Schema and validation are made from.

use indexmap::IndexMap;
use roomd_protocol::ClientId;
use roomd_room::BreakoutSessionSettings;
use schemars::JsonSchema;
use serde::Deserialize;

macro_rules! arguments {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident : $type:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Deserialize, JsonSchema)]
            #[serde(rename_all = "camelCase", deny_unknown_fields)]
            pub struct $name {
                $($(#[$field_meta])* pub $field: $type,)*
            }
        )*
    };
}

arguments! {
    /// No arguments.
    None {}

    /// A switch; left out, it is turned the other way round.
    Switch {
        /// On or off.
        enabled: Option<bool>,
    }

    /// Arguments of `set_display_name`.
    DisplayName {
        /// The name that others see.
        display_name: String,
    }

    /// Arguments of `start_screenshare`.
    ScreenshareSource {
        /// Name of a configured source, the first one when left out.
        source: Option<String>,
    }

    /// Arguments of `switch_camera_effect`.
    Effect {
        /// Id of a configured effect.
        effect_id: String,
    }

    /// Arguments of `send_chat_message`.
    ChatMessage {
        /// The text.
        text: String,
        /// Id of the message that it answers.
        parent_id: Option<String>,
        /// For all breakout groups.
        is_broadcast: Option<bool>,
    }

    /// Arguments of `remove_chat_message`.
    MessageId {
        /// Id of the message.
        message_id: String,
    }

    /// Names a participant.
    Participant {
        /// Client id of the participant.
        participant_id: ClientId,
    }

    /// Names a knocker, with a word to it.
    ParticipantAndResponse {
        /// Client id of the knocker.
        participant_id: ClientId,
        /// What it is told.
        response: Option<String>,
    }

    /// Arguments of `lock_room`.
    Locked {
        /// Locked or open.
        locked: bool,
    }

    /// Names participants.
    Participants {
        /// Client ids of the participants, at least one.
        participant_ids: Vec<ClientId>,
    }

    /// Arguments of `end_meeting`.
    StayBehind {
        /// Stay in the empty room; false when left out.
        stay_behind: Option<bool>,
    }

    /// Arguments of `join_breakout_group`.
    BreakoutGroup {
        /// Id of the group.
        group: String,
    }

    /// Arguments of `assign_breakout_participants`.
    Assignments {
        /// Client id → group id; `""` takes out of a group.
        assignments: IndexMap<ClientId, String>,
    }

    /// Arguments of `extend_breakout_timer`.
    Seconds {
        /// Seconds to add, 60 when left out.
        seconds: Option<f64>,
    }

    /// Arguments of `answer_request`.
    Answer {
        /// `requestId` of the event.
        request_id: String,
        /// Yes or no.
        accept: bool,
    }

    /// Arguments of `set_volume`.
    Volume {
        /// 0 (silent) to 100.
        #[schemars(range(min = 0, max = 100))]
        level: i64,
    }

    /// Arguments of `mute_speaker`.
    Muted {
        /// Muted or not.
        muted: bool,
    }

    /// Arguments of `select_device`.
    SelectDevice {
        /// `camera`, `microphone`, `speaker`, `display` or `screenshare_input`.
        kind: String,
        /// The device, as `state/devices` names it.
        device: String,
    }

    /// Arguments of `set_layout`.
    Layout {
        /// Name of the layout.
        layout: String,
        /// Who is in front.
        participant_id: Option<ClientId>,
    }

    /// Arguments of `move_camera`.
    MoveCamera {
        /// To the right, -1 to 1.
        pan: Option<f64>,
        /// Up, -1 to 1.
        tilt: Option<f64>,
        /// In, -1 to 1.
        zoom: Option<f64>,
    }

    /// Names a camera preset.
    PresetName {
        /// Name of the preset.
        name: String,
    }

    /// Arguments of `snapshot`.
    SnapshotSource {
        /// Which picture.
        source: String,
    }

    /// Arguments of `config_set`.
    ConfigSet {
        /// A whole configuration in TOML.
        toml: Option<String>,
        /// Keys to change.
        patch: Option<serde_json::Map<String, serde_json::Value>>,
        /// Rolled back unless the broker is reached again within this time, in milliseconds.
        confirm_within_ms: Option<u64>,
    }

    /// Arguments of `update`.
    Update {
        /// Where the bundle is.
        url: String,
        /// Which version it holds.
        version: String,
    }

    /// Arguments of `support_bundle`.
    SupportBundle {
        /// Where to put it.
        upload_url: Option<String>,
    }

    /// Arguments of `set_log_level`.
    LogLevel {
        /// A tracing directive (`info,roomd::mqtt=debug`).
        directive: String,
        /// For how long, in milliseconds.
        for_ms: Option<u64>,
    }

    /// Arguments of `factory_reset`.
    FactoryReset {
        /// The device id, so that it does not happen by mistake.
        confirm: String,
    }
}

// serde cannot refuse unknown fields of a struct with a flattened one, hence the spelled-out settings.
macro_rules! breakout_arguments {
    ($(#[$doc:meta])* $name:ident, $groups:ty) => {
        arguments! {
            $(#[$doc])*
            $name {
                /// Group id → name.
                groups: $groups,
                /// Client id → group id.
                assignments: Option<IndexMap<ClientId, String>>,
                /// Participants may only enter the group they are assigned to.
                enforce_assignment: Option<bool>,
                /// The server moves assigned participants into their groups.
                auto_move_to_group: Option<bool>,
                /// The server moves everybody back at the end.
                auto_move_to_main: Option<bool>,
                /// Seconds until the move into the groups.
                move_to_group_grace_period: Option<f64>,
                /// Seconds until the move back.
                move_to_main_grace_period: Option<f64>,
                /// Whether a timer runs.
                breakout_timer_setting: Option<bool>,
                /// Its length in seconds.
                breakout_timer_duration: Option<f64>,
            }
        }

        impl $name {
            /// Everything but groups and assignments.
            #[must_use]
            pub fn settings(&self) -> BreakoutSessionSettings {
                BreakoutSessionSettings {
                    enforce_assignment: self.enforce_assignment,
                    auto_move_to_group: self.auto_move_to_group,
                    auto_move_to_main: self.auto_move_to_main,
                    move_to_group_grace_period: self.move_to_group_grace_period,
                    move_to_main_grace_period: self.move_to_main_grace_period,
                    breakout_timer_setting: self.breakout_timer_setting,
                    breakout_timer_duration: self.breakout_timer_duration,
                }
            }
        }
    };
}

breakout_arguments!(
    /// Arguments of `start_breakout_session`.
    StartBreakoutSession,
    IndexMap<String, String>
);
breakout_arguments!(
    /// Arguments of `update_breakout_session`.
    UpdateBreakoutSession,
    Option<IndexMap<String, String>>
);
