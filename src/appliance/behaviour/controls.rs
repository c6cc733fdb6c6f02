//! Buttons, switches and lights at the box: a switch overrules everything, a light never says too much.

use std::time::Duration;

use proptest::prelude::*;
use roomd_controls::{
    gesture::Gesture,
    light::{Capture, Condition, Indications},
    switch::{Ban, Bans, SwitchState},
};
use roomd_room::{Action, MediaCommand};
use serde_json::json;

use super::support::{Wall, settings};
use crate::appliance::{
    ApplianceInput, ApplianceOutput, ApplianceSettings, ChangeSource, ChangedBy, Command,
    ErrorCode, InitialMuteStates, JoinRoom, Memory, RequestId, settings::RequestPolicy,
    state::MediaState,
};

fn ban(switch: &str, state: SwitchState) -> Option<Ban> {
    Some(Ban {
        switch: switch.to_owned(),
        state,
    })
}

fn muted() -> Bans {
    Bans {
        microphone: ban("mute switch", SwitchState::Muted),
        camera: None,
    }
}

fn microphone(on: Option<bool>) -> Command {
    Command::Room(Action::ToggleMicrophone(on))
}

impl Wall {
    fn press(&mut self, command: Command) -> RequestId {
        let id = RequestId(1_000 + self.outputs.len() as u64);
        self.input(ApplianceInput::Command {
            id,
            command,
            by: ChangedBy {
                id: Some("top".to_owned()),
                ..ChangedBy::source(ChangeSource::Button)
            },
        });
        id
    }

    fn opened_microphone(&self) -> usize {
        let opens = |output: &&ApplianceOutput| {
            matches!(
                output,
                ApplianceOutput::Media(MediaCommand::Microphone { enabled: true })
            )
        };
        self.outputs.iter().filter(opens).count()
    }

    fn indications(&self) -> Indications {
        self.appliance.indications()
    }
}

/// Live in a room, as after a press.
fn live() -> Wall {
    let mut wall = Wall::in_room(settings());
    wall.press(microphone(None));
    wall.microphone(true, true, None);
    assert_eq!(wall.indications().microphone, Capture::Live);
    wall.outputs.clear();
    wall
}

#[test]
fn a_switch_mutes_at_once_and_is_named_as_the_cause() {
    let mut wall = live();
    wall.input(ApplianceInput::Switches(muted()));
    assert_eq!(wall.indications().microphone, Capture::Closing);
    wall.microphone(false, false, None);
    let state = wall.appliance.state();
    assert_eq!(state.local_media.microphone.state, MediaState::Muted);
    let cause = state.local_media.changed_by.clone().unwrap();
    assert_eq!(cause.source, ChangeSource::Switch);
    assert_eq!(cause.id.as_deref(), Some("mute switch"));
    assert!(wall.indications().switched_off);
}

#[test]
fn while_a_switch_says_muted_nothing_unmutes_and_the_refusal_names_it() {
    let mut wall = Wall::in_room(settings());
    wall.input(ApplianceInput::Switches(muted()));
    for command in [microphone(None), microphone(Some(true))] {
        let id = wall.command(command);
        let error = wall.reply(id).unwrap().unwrap_err();
        assert_eq!(error.code, ErrorCode::WrongState);
        assert!(error.message.contains("mute switch"), "{error:?}");
    }
    let id = wall.press(microphone(None));
    assert_eq!(
        wall.reply(id).unwrap().unwrap_err().code,
        ErrorCode::WrongState
    );
    // Muting what is muted is fine, and so is the camera.
    let id = wall.command(microphone(Some(false)));
    assert!(wall.reply(id).unwrap().is_ok());
    wall.command(Command::Room(Action::ToggleCamera(Some(true))));
    wall.camera(true, true);
    assert_eq!(wall.indications().camera, Capture::Live);
    assert_eq!(wall.opened_microphone(), 0);
}

#[test]
fn a_released_switch_lifts_the_ban_and_opens_nothing() {
    let mut wall = live();
    wall.input(ApplianceInput::Switches(muted()));
    wall.microphone(false, false, None);
    wall.input(ApplianceInput::Switches(Bans::default()));
    assert_eq!(wall.opened_microphone(), 0);
    assert_eq!(wall.indications().microphone, Capture::Closed);
    wall.press(microphone(None));
    assert_eq!(wall.opened_microphone(), 1);
}

#[test]
fn a_box_that_starts_with_its_switch_on_joins_muted_whatever_it_remembers() {
    let settings = ApplianceSettings {
        initial_microphone: crate::appliance::settings::InitialState::On,
        ..settings()
    };
    let memory = Memory {
        microphone: true,
        ..Memory::default()
    };
    let mut wall = Wall::banned(settings, Some(memory), muted());
    wall.reach_the_room();
    wall.signal("room_joined", super::support::room_joined());
    assert_eq!(wall.opened_microphone(), 0);
    let join = JoinRoom {
        initial_mute_states: Some(InitialMuteStates {
            camera: None,
            microphone: Some(false),
        }),
        ..JoinRoom::default()
    };
    wall.command(Command::JoinRoom(join));
    assert_eq!(wall.opened_microphone(), 0);
    assert!(!wall.appliance.room().is_microphone_enabled);
}

#[test]
fn a_switch_that_cannot_be_asked_is_a_problem_until_it_can() {
    let mut wall = Wall::in_room(settings());
    let codes = |wall: &Wall| -> Vec<String> {
        let problems = wall.appliance.state().problems.iter();
        problems.map(|problem| problem.code.clone()).collect()
    };
    wall.input(ApplianceInput::Switches(Bans {
        microphone: ban("panel", SwitchState::Missing),
        camera: None,
    }));
    assert_eq!(codes(&wall), ["switch_unknown"]);
    wall.input(ApplianceInput::Switches(muted()));
    assert!(codes(&wall).is_empty());
}

#[test]
fn a_press_answers_who_asks_the_box_to_unmute() {
    let mut wall = Wall::in_room(settings());
    wall.ask_to_unmute("a");
    assert!(wall.indications().request);
    wall.press(microphone(None));
    assert_eq!(wall.opened_microphone(), 1);
    let ended = wall.event("request_ended").unwrap();
    assert_eq!(ended["reason"], "accepted");
    assert!(!wall.indications().request);
}

#[test]
fn a_request_stands_while_a_switch_forbids_its_answer() {
    let policy = ApplianceSettings {
        on_request_audio: RequestPolicy::Accept,
        ..settings()
    };
    let mut wall = Wall::in_room(policy);
    wall.input(ApplianceInput::Switches(muted()));
    wall.ask_to_unmute("a");
    assert_eq!(wall.opened_microphone(), 0);
    assert_eq!(wall.appliance.state().requests.len(), 1);
    let id = wall.press(Command::AnswerFirstRequest { accept: true });
    assert_eq!(
        wall.reply(id).unwrap().unwrap_err().code,
        ErrorCode::WrongState
    );
    assert_eq!(wall.appliance.state().requests.len(), 1);
    let id = wall.press(Command::AnswerFirstRequest { accept: false });
    assert!(wall.reply(id).unwrap().is_ok());
    let id = wall.press(Command::AnswerFirstRequest { accept: false });
    assert_eq!(
        wall.reply(id).unwrap().unwrap_err().code,
        ErrorCode::NotFound
    );
}

#[test]
fn a_gesture_is_told_and_the_volume_goes_in_steps_within_its_bounds() {
    let mut wall = Wall::in_room(settings());
    wall.input(ApplianceInput::Gesture {
        button: "top".to_owned(),
        gesture: Gesture::LongPress,
    });
    let told = json!({ "button": "top", "gesture": "long_press" });
    assert_eq!(wall.event("button_gesture"), Some(told));
    wall.command(Command::SetVolume(97));
    wall.press(Command::ChangeVolume(5));
    assert_eq!(wall.appliance.state().local_media.volume, 100);
    wall.command(Command::SetVolume(3));
    wall.press(Command::ChangeVolume(-5));
    assert_eq!(wall.appliance.state().local_media.volume, 0);
}

#[test]
fn a_box_shows_which_one_it_is_for_ten_seconds() {
    let mut wall = Wall::in_room(settings());
    let id = wall.command(Command::Identify);
    assert!(wall.reply(id).unwrap().is_ok());
    assert!(wall.indications().identify);
    assert_eq!(wall.appliance.state().identify.as_deref(), Some("Room"));
    let end = wall.now.instant + Duration::from_secs(10);
    assert!(wall.appliance.next_deadline().is_some_and(|at| at <= end));
    wall.advance(Duration::from_secs(9));
    assert!(wall.indications().identify);
    wall.advance(Duration::from_secs(1));
    assert!(!wall.indications().identify);
    assert_eq!(wall.appliance.state().identify, None);
}

/// What may happen, as numbers: whoever asks, whatever the media graph and the switches say, in any order.
fn happens(wall: &mut Wall, what: u8) {
    match what {
        0 => drop(wall.command(microphone(None))),
        1 => drop(wall.press(microphone(Some(true)))),
        2 => drop(wall.press(microphone(Some(false)))),
        3 => wall.microphone(true, true, None),
        4 => wall.microphone(true, false, None),
        5 => wall.microphone(false, false, None),
        6 => wall.microphone(false, false, Some("unplugged")),
        7 => wall.input(ApplianceInput::Switches(muted())),
        8 => wall.input(ApplianceInput::Switches(Bans::default())),
        9 => drop(wall.command(Command::Room(Action::LeaveRoom))),
        10 => drop(wall.join()),
        11 => wall.ask_to_unmute("a"),
        12 => drop(wall.press(Command::AnswerFirstRequest { accept: true })),
        _ => wall.advance(Duration::from_secs(7)),
    }
}

proptest! {
    /// The lights' part of the promise, over whatever happens to the box: "muted" only when the state says it
    /// too, and nothing may leave.
    #[test]
    fn lights_say_muted_only_while_the_state_says_that_nothing_leaves(
        steps in prop::collection::vec(0_u8..14, 0..60),
    ) {
        let mut wall = Wall::in_room(settings());
        let mut bans = Bans::default();
        for what in steps {
            let flowing = match what {
                3 => true,
                4..=6 => false,
                _ => wall.appliance.state().local_media.microphone.proof.flowing,
            };
            match what {
                7 => bans = muted(),
                8 => bans = Bans::default(),
                _ => {}
            }
            let opened = wall.opened_microphone();
            happens(&mut wall, what);
            let (now, state) = (wall.indications(), wall.appliance.state());
            if Condition::Muted.holds(&now) {
                prop_assert!(!flowing);
                prop_assert!(!state.local_participant.participant.is_audio_enabled);
            }
            if now.microphone.may_leave() {
                prop_assert!(state.local_participant.participant.is_audio_enabled);
            }
            if Condition::Live.holds(&now) {
                prop_assert!(flowing);
            }
            // While a switch forbids it, nothing opens.
            prop_assert!(bans.microphone.is_none() || wall.opened_microphone() == opened);
        }
    }
}
