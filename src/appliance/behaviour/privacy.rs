//! Nothing says muted while a sample may still leave.

use std::time::Duration;

use proptest::prelude::*;
use roomd_room::Action;

use super::support::{Wall, settings};
use crate::appliance::{ChangeSource, Command, state::MediaState};

#[test]
fn muted_is_shown_only_once_the_gate_is_closed() {
    let mut wall = Wall::in_room(settings());
    wall.command(Command::Room(Action::ToggleMicrophone(Some(true))));
    wall.microphone(true, true, None);
    let mute = wall.command(Command::Room(Action::ToggleMicrophone(Some(false))));
    let shown = |wall: &Wall| {
        let state = wall.appliance.state();
        (
            state.local_media.microphone.state,
            state.local_participant.participant.is_audio_enabled,
        )
    };
    assert_eq!(
        shown(&wall),
        (MediaState::On, true),
        "asked for, not yet true"
    );
    assert!(wall.reply(mute).is_none());
    wall.microphone(true, false, None);
    assert_eq!(shown(&wall), (MediaState::Muted, false));
    assert!(wall.reply(mute).unwrap().is_ok());
}

#[test]
fn a_quick_unmute_and_mute_does_not_show_muted_before_the_media_graph_has_seen_both() {
    let mut wall = Wall::in_room(settings());
    wall.command(Command::Room(Action::ToggleMicrophone(Some(true))));
    wall.command(Command::Room(Action::ToggleMicrophone(Some(false))));
    let shown = |wall: &Wall| wall.appliance.state().local_media.microphone.state;
    assert_ne!(
        shown(&wall),
        MediaState::Muted,
        "the gate may still be opened"
    );
    wall.microphone(true, true, None);
    assert_eq!(shown(&wall), MediaState::On);
    wall.microphone(true, false, None);
    assert_eq!(shown(&wall), MediaState::Muted);
}

#[test]
fn a_device_that_stays_open_while_muted_is_a_problem_after_a_second() {
    let mut wall = Wall::in_room(settings());
    wall.command(Command::Room(Action::ToggleMicrophone(Some(true))));
    wall.microphone(true, true, None);
    wall.command(Command::Room(Action::ToggleMicrophone(Some(false))));
    wall.microphone(true, false, None);
    assert!(wall.problems().is_empty());
    wall.advance(Duration::from_millis(1001));
    assert_eq!(wall.problems(), ["microphone_open_while_muted"]);
    assert!(wall.appliance.state().local_media.microphone.proof.open);
    wall.microphone(false, false, None);
    assert!(wall.problems().is_empty());
}

#[test]
fn a_microphone_that_does_not_open_fails_the_command_and_shows_why() {
    let mut wall = Wall::in_room(settings());
    let unmute = wall.command(Command::Room(Action::ToggleMicrophone(Some(true))));
    wall.microphone(false, false, Some("device busy"));
    let error = wall.reply(unmute).unwrap().unwrap_err();
    assert_eq!(
        (format!("{:?}", error.code).as_str(), error.message.as_str()),
        ("DeviceUnavailable", "device busy")
    );
    assert_eq!(
        wall.appliance.state().local_media.microphone.state,
        MediaState::Failed
    );
    assert_eq!(wall.problems(), ["microphone_failed"]);
    wall.microphone(false, false, None);
    assert_eq!(
        wall.problems(),
        ["microphone_failed"],
        "closed is not repaired"
    );
    wall.command(Command::Room(Action::ToggleMicrophone(Some(true))));
    wall.microphone(true, true, None);
    assert!(wall.problems().is_empty());
}

#[test]
fn who_switched_the_microphone_is_named_when_it_has_become_true_whatever_happens_to_the_camera() {
    let mut wall = Wall::in_room(settings());
    wall.command(Command::Room(Action::ToggleMicrophone(Some(true))));
    wall.microphone(true, true, None);
    wall.signal(
        "audio_enable_requested",
        serde_json::json!({ "requestedByClientId": "a", "enable": false }),
    );
    wall.command(Command::Room(Action::ToggleCamera(Some(true))));
    wall.microphone(true, false, None);
    let cause = wall
        .appliance
        .state()
        .local_media
        .changed_by
        .clone()
        .unwrap();
    assert_eq!(cause.source, ChangeSource::Room);
    assert_eq!(cause.participant_id, Some("a".into()));
}

proptest! {
    #[test]
    fn whatever_happens_muted_is_never_shown_while_samples_flow(
        steps in prop::collection::vec((0_u8..5, any::<bool>(), any::<bool>()), 1..60)
    ) {
        let mut wall = Wall::in_room(settings());
        for (step, first, second) in steps {
            match step {
                0 => drop(wall.command(Command::Room(Action::ToggleMicrophone(Some(first))))),
                1 => wall.microphone(first || second, second, None),
                2 => wall.microphone(first, false, Some("gone")),
                3 => wall.signal("audio_enable_requested", serde_json::json!({ "requestedByClientId": "a", "enable": first })),
                _ => wall.advance(Duration::from_millis(400)),
            }
            let state = wall.appliance.state();
            if state.local_media.microphone.proof.flowing {
                prop_assert_eq!(state.local_media.microphone.state, MediaState::On);
                prop_assert!(state.local_participant.participant.is_audio_enabled);
            }
        }
    }
}
