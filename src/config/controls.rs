//! `[controls]`: buttons, switches and lights, judged together: what contradicts itself is refused here.

use std::{collections::BTreeMap, time::Duration};

use roomd_controls::{
    binding::{Mistake, Table},
    gesture::{Gesture, Timing},
    rows::{BoundCommand, ButtonRow, LightRow, SwitchRow},
    scan::Places,
    switch::Mutes,
};
use roomd_room::Action;

use super::{
    reader::Section,
    setting::{nearest, serde_setting},
    units::{Debounce, DoublePress, LongPress},
};
use crate::{
    appliance::Command,
    mqtt::{commands, topics::Kind},
};

/// Buttons, switches and lights.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlsConfig {
    /// The rows. Default: the mute and camera keys of any input device, the mute switch and the lens cover.
    pub table: Table,
    /// What each gesture of each button (by its row) does.
    pub commands: BTreeMap<(usize, Gesture), Command>,
    /// Where the kernel shows its devices; no key, for tests.
    pub places: Places,
}

/// Steps of the volume, in percent.
const VOLUME_STEP: i8 = 5;

/// Commands for buttons beside those of MQTT, which know ids and levels.
const OF_BUTTONS: &[&str] = &[
    "volume_up",
    "volume_down",
    "accept_request",
    "decline_request",
];

pub(super) fn read(section: &mut Section<'_, '_>) -> ControlsConfig {
    let buttons = section.key("buttons", default_buttons());
    let switches = section.key("switches", default_switches());
    let lights = section.key("lights", Vec::<LightRow>::new());
    let ms = |number: u32| Duration::from_millis(number.into());
    let timing = Timing {
        debounce: ms(section.key("debounce_ms", Debounce::DEFAULT).get()),
        long_press: ms(section.key("long_press_ms", LongPress::DEFAULT).get()),
        double_press: ms(section.key("double_press_ms", DoublePress::DEFAULT).get()),
    };
    let mut mistakes = Vec::new();
    let table = Table::new(&buttons, &switches, &lights, timing).unwrap_or_else(|found| {
        mistakes = found;
        Table {
            buttons: Vec::new(),
            switches: Vec::new(),
            lights: Vec::new(),
            timing,
        }
    });
    let commands = commands_of(&table, &mut mistakes);
    for mistake in mistakes {
        section.refuse(mistake.key, mistake.found, &mistake.allowed, mistake.remedy);
    }
    ControlsConfig {
        table,
        commands,
        places: Places::default(),
    }
}

fn default_buttons() -> Vec<ButtonRow> {
    let button = |key: &str, command: &str| ButtonRow {
        key: Some(key.to_owned()),
        press: Some(BoundCommand::Name(command.to_owned())),
        ..ButtonRow::default()
    };
    vec![
        button("KEY_MICMUTE", "toggle_microphone"),
        button("KEY_CAMERA", "toggle_camera"),
    ]
}

fn default_switches() -> Vec<SwitchRow> {
    let switch = |switch: &str, mutes| SwitchRow {
        name: None,
        switch: Some(switch.to_owned()),
        device: None,
        gpio: None,
        chip: None,
        active_low: None,
        bias: None,
        mutes,
    };
    vec![
        switch("SW_MUTE_DEVICE", Mutes::Microphone),
        switch("SW_CAMERA_LENS_COVER", Mutes::Camera),
    ]
}

/// The commands of all gestures. Talk needs none in the configuration: it has its two.
fn commands_of(table: &Table, mistakes: &mut Vec<Mistake>) -> BTreeMap<(usize, Gesture), Command> {
    let mut commands = BTreeMap::new();
    for (row, button) in table.buttons.iter().enumerate() {
        if button.talk {
            for (gesture, on) in [(Gesture::TalkStart, true), (Gesture::TalkEnd, false)] {
                let action = Action::ToggleMicrophone(Some(on));
                commands.insert((row, gesture), Command::Room(action));
            }
        }
        for (gesture, bound) in &button.commands {
            match command_of(bound) {
                Ok(command) => {
                    commands.insert((row, *gesture), command);
                }
                Err((found, remedy)) => mistakes.push(Mistake {
                    key: "buttons",
                    found: format!("{} of {}: {found}", gesture.as_str(), button.name),
                    allowed: format!(
                        "a command of docs/mqtt.md below cmd/, as \"toggle_microphone\" or {{ command = \"set_volume\", level = 40 }}, or one of {}",
                        OF_BUTTONS.join(", ")
                    ),
                    remedy,
                }),
            }
        }
    }
    commands
}

/// A command by its name in the MQTT contract; what was found instead, and what to do.
fn command_of(bound: &BoundCommand) -> Result<Command, (String, String)> {
    let (name, arguments) = (bound.name(), bound.arguments());
    let of_buttons = match name {
        "volume_up" => Some(Command::ChangeVolume(VOLUME_STEP)),
        "volume_down" => Some(Command::ChangeVolume(-VOLUME_STEP)),
        "accept_request" => Some(Command::AnswerFirstRequest { accept: true }),
        "decline_request" => Some(Command::AnswerFirstRequest { accept: false }),
        _ => None,
    };
    if let Some(command) = of_buttons {
        return match arguments.keys().next() {
            None => Ok(command),
            Some(field) => Err((
                format!("{field} with {name}"),
                format!("remove {field}: {name} takes no arguments"),
            )),
        };
    }
    let Some(spec) = commands::find(Kind::Cmd, name) else {
        let known = commands::COMMANDS
            .iter()
            .filter(|spec| spec.kind == Kind::Cmd);
        let names = known
            .map(|spec| spec.name)
            .chain(OF_BUTTONS.iter().copied());
        let remedy = match nearest(name, names) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => "see docs/mqtt.md for all commands".to_owned(),
        };
        return Err((format!("there is no command {name:?}"), remedy));
    };
    spec.command(arguments)
        .map_err(|error| (error.message, error.remedy))
}

serde_setting! {
    Vec<ButtonRow>: "a list of buttons, as [{ key = \"KEY_MICMUTE\", press = \"toggle_microphone\" }]";
    Vec<SwitchRow>: "a list of switches, as [{ switch = \"SW_MUTE_DEVICE\", mutes = \"microphone\" }]";
    Vec<LightRow>: "a list of lights, as [{ led = \"room:red:mute\", shows = [\"muted\"] }]";
}
