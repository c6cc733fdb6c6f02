//! Buttons, switches and lights as the configuration writes them. What a row means, and whether rows
//! contradict each other, is judged by [`crate::binding`].

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{input::Bias, switch::Mutes};

/// A command bound to a gesture, in the words of the MQTT contract: a name, or a table with arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BoundCommand {
    /// `"toggle_microphone"`.
    Name(String),
    /// `{ command = "set_volume", level = 40 }`.
    Table {
        /// The command's name.
        command: String,
        /// Its arguments.
        #[serde(flatten)]
        arguments: Map<String, Value>,
    },
}

impl BoundCommand {
    /// The command's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) | Self::Table { command: name, .. } => name,
        }
    }

    /// Its arguments.
    #[must_use]
    pub fn arguments(&self) -> Map<String, Value> {
        match self {
            Self::Name(_) => Map::new(),
            Self::Table { arguments, .. } => arguments.clone(),
        }
    }
}

/// A row of `controls.buttons`: where the button is, and what its gestures do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ButtonRow {
    /// What it is called in events; its key or line when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A key by the kernel's name, as `KEY_MICMUTE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The input device; any that has the key when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// A GPIO line by name or number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpio: Option<String>,
    /// The GPIO chip by label or path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chip: Option<String>,
    /// The line is low when pushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_low: Option<bool>,
    /// What holds the line while nobody pushes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bias: Option<Bias>,
    /// What a press does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub press: Option<BoundCommand>,
    /// What a long press does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub long_press: Option<BoundCommand>,
    /// What a double press does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub double_press: Option<BoundCommand>,
    /// The microphone is on for as long as the button is held, and muted afterwards.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hold_to_talk: bool,
}

/// A row of `controls.switches`: where the switch is, and what it mutes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchRow {
    /// What it is called in messages; its switch or line when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A switch by the kernel's name, as `SW_MUTE_DEVICE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switch: Option<String>,
    /// The input device; any that has the switch when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// A GPIO line by name or number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpio: Option<String>,
    /// The GPIO chip by label or path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chip: Option<String>,
    /// The line is low when the switch mutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_low: Option<bool>,
    /// What holds the line when nothing is connected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bias: Option<Bias>,
    /// What it mutes.
    pub mutes: Mutes,
}

/// A row of `controls.lights`: where the light is, and what it shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LightRow {
    /// What it is called in messages; its LED or line when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A LED of the kernel's LED class, as `room:red:mute`; `*` stands for any characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub led: Option<String>,
    /// A GPIO line by name or number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpio: Option<String>,
    /// The GPIO chip by label or path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chip: Option<String>,
    /// The line is low when the light is lit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_low: Option<bool>,
    /// It has several colours, so colours alone may tell conditions apart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub multicolour: bool,
    /// Brightness in percent, 100 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brightness: Option<u8>,
    /// What it shows: the first condition that holds.
    pub shows: Vec<ShownRow>,
}

/// A condition of a light: a word, or a table with its look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ShownRow {
    /// `"muted"`.
    Word(String),
    /// `{ when = "muted", colour = "red", pattern = "on" }`.
    Table(ShownTable),
}

/// A condition with its look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShownTable {
    /// The condition.
    pub when: String,
    /// Its colour, when the usual one does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colour: Option<String>,
    /// Its pattern, when the usual one does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}
