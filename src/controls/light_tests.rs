//! Lights: over everything that can be true at once, and all lists.

use proptest::prelude::*;

use super::*;

const CAPTURES: &[Capture] = &[
    Capture::Closed,
    Capture::Opening,
    Capture::Live,
    Capture::Closing,
    Capture::Failed,
];

prop_compose! {
    fn indications()(
        microphone in prop::sample::select(CAPTURES),
        camera in prop::sample::select(CAPTURES),
        flags in prop::array::uniform11(any::<bool>()),
    ) -> Indications {
        let [active, connected, connecting, knocking, waiting, request, hand_raised, recording, error,
            switched_off, identify] = flags;
        Indications {
            microphone, camera, active, connected, connecting, knocking, waiting, request, hand_raised,
            recording, error, switched_off, identify,
        }
    }
}

fn list() -> impl Strategy<Value = ShowList> {
    let shown = prop::sample::select(Condition::ALL).prop_map(|when| Shown {
        when,
        look: when.look(),
    });
    prop::collection::vec(shown, 0..8).prop_map(ShowList::new)
}

fn of(conditions: &[Condition]) -> ShowList {
    ShowList::new(conditions.iter().map(|when| Shown {
        when: *when,
        look: when.look(),
    }))
}

#[test]
fn a_light_of_the_microphone_goes_through_pending_in_both_directions() {
    let light = of(&[Condition::Muted, Condition::Live]);
    let at = |microphone| {
        let now = Indications {
            microphone,
            active: true,
            ..Indications::default()
        };
        light.shown(&now).map(|shown| shown.when)
    };
    let way = [
        (Capture::Closed, Condition::Muted),
        (Capture::Opening, Condition::Pending),
        (Capture::Live, Condition::Live),
        (Capture::Closing, Condition::Pending),
        (Capture::Closed, Condition::Muted),
        (Capture::Failed, Condition::Muted),
    ];
    for (capture, condition) in way {
        assert_eq!(at(capture), Some(condition), "{capture:?}");
    }
}

#[test]
fn the_first_condition_that_holds_decides_and_none_is_dark() {
    let light = of(&[Condition::Request, Condition::HandRaised]);
    let mut now = Indications::default();
    assert_eq!(light.look(&now), Look::DARK);
    now.hand_raised = true;
    assert_eq!(light.look(&now), Condition::HandRaised.look());
    now.request = true;
    assert_eq!(light.look(&now), Condition::Request.look());
    now.identify = true;
    assert_eq!(light.look(&now), Look::IDENTIFY);
}

#[test]
fn outside_a_room_nothing_is_called_muted() {
    let light = of(&[Condition::Muted, Condition::CameraOff]);
    assert_eq!(light.look(&Indications::default()), Look::DARK);
}

proptest! {
    #[test]
    fn no_light_says_muted_or_off_while_a_sample_may_leave(light in list(), now in indications()) {
        let when = light.shown(&now).map(|shown| shown.when);
        prop_assert!(when != Some(Condition::Muted) || !now.microphone.may_leave());
        prop_assert!(when != Some(Condition::CameraOff) || !now.camera.may_leave());
    }

    /// A change that is asked for and not confirmed looks like neither its beginning nor its end.
    #[test]
    fn nothing_new_is_shown_early(light in list(), now in indications()) {
        let when = light.shown(&now).map(|shown| shown.when);
        for (capture, ends) in [
            (now.microphone, [Condition::Live, Condition::Muted]),
            (now.camera, [Condition::CameraOn, Condition::CameraOff]),
        ] {
            if matches!(capture, Capture::Opening | Capture::Closing) {
                prop_assert!(when.is_none_or(|when| !ends.contains(&when)));
            }
        }
    }

    /// A light that tells of the microphone is not dark while sound may leave, but for what stands above it.
    #[test]
    fn a_light_of_the_microphone_is_never_dark_while_sound_may_leave(light in list(), now in indications()) {
        let tells = |when| light.as_slice().iter().any(|shown| shown.when == when);
        if tells(Condition::Live) && now.microphone.may_leave() {
            prop_assert_ne!(light.look(&now), Look::DARK);
        }
    }

    #[test]
    fn what_is_shown_is_true_and_in_the_list(light in list(), now in indications()) {
        match light.shown(&now) {
            Some(shown) => prop_assert!(shown.when.holds(&now) && light.as_slice().contains(&shown)),
            None => prop_assert!(light.as_slice().iter().all(|shown| !shown.when.holds(&now))),
        }
    }
}
