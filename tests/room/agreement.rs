//! Whatever people do and networks break: once all is quiet, everybody sees the same room.

use std::{collections::BTreeSet, fmt, time::Duration};

use proptest::prelude::*;
use roomd_protocol::records::RoomMode;
use roomd_room::ConnectionStatus as Status;

use crate::{
    actions::{self, Choice},
    support::TestRoom,
};

const NAMES: [&str; 5] = ["desk", "wall", "page", "hall", "attic"];
/// Most steps of a case; half as many on average.
const STEPS: usize = 160;
/// Some 64,000 steps in all.
const CASES: u32 = 800;

/// One thing that happens.
#[derive(Clone)]
enum Step {
    /// Somebody does what the table says at this place.
    Act(usize, u32, usize),
    Join(usize),
    Cut(usize, u64),
    CutOff(usize),
    Restore(usize),
    RestartServer,
    Restart(usize, u64),
    Wait(u64),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Act(who, at, number) => {
                write!(f, "{who} {} ({number})", actions::line(*at).1)
            }
            Self::Join(who) => write!(f, "{who} joins"),
            Self::Cut(who, ms) => write!(f, "{who} loses its connection, noticed after {ms} ms"),
            Self::CutOff(who) => write!(f, "{who} is cut off"),
            Self::Restore(who) => write!(f, "{who} is no longer cut off"),
            Self::RestartServer => write!(f, "the server restarts"),
            Self::Restart(who, ms) => write!(f, "{who} restarts within {ms} ms"),
            Self::Wait(ms) => write!(f, "{ms} ms pass"),
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..NAMES.len();
    prop_oneof![
        30 => (who.clone(), 0..actions::total(), any::<u16>())
            .prop_map(|(who, at, number)| Step::Act(who, at, usize::from(number))),
        4 => who.clone().prop_map(Step::Join),
        4 => (who.clone(), 0..6000u64).prop_map(|(who, late)| Step::Cut(who, late)),
        2 => who.clone().prop_map(Step::CutOff),
        3 => who.clone().prop_map(Step::Restore),
        1 => Just(Step::RestartServer),
        1 => (who, 0..15_000u64).prop_map(|(who, after)| Step::Restart(who, after)),
        10 => (0..300u64).prop_map(Step::Wait),
        4 => (0..15_000u64).prop_map(Step::Wait),
    ]
}

/// Carries a step out. What status or role do not allow is refused, and nothing has to follow.
fn carry_out(room: &mut TestRoom, people: &[&'static str], step: &Step) {
    let name = |index: usize| people[index % people.len()];
    match *step {
        Step::Act(who, at, number) => {
            let ids: Vec<_> = room
                .participants
                .values()
                .map(|one| one.id().clone())
                .collect();
            let choice = Choice {
                state: room.participants[name(who)].state(),
                ids: &ids,
                number,
            };
            if let Some(action) = (actions::line(at).2)(&choice) {
                let _refused = room.try_act(name(who), action);
            }
        }
        Step::Join(who) => {
            if !room.participants[name(who)].is_connected() {
                room.join(name(who));
            }
        }
        Step::Cut(who, late) => room.cut_connection_of(name(who), Duration::from_millis(late)),
        Step::CutOff(who) => room.cut_off(name(who)),
        Step::Restore(who) => room.restore(name(who)),
        Step::RestartServer => room.restart_server(),
        Step::Restart(who, after) => room.restart(name(who), Duration::from_millis(after)),
        Step::Wait(ms) => room.advance(Duration::from_millis(ms)),
    }
}

/// Everybody who is in sees everybody else who is in, once, as they are, and nobody besides.
fn assert_agreement(room: &TestRoom) {
    let (inside, outside): (Vec<_>, Vec<_>) = room
        .participants
        .values()
        .partition(|one| one.is_connected());
    for one in outside {
        let state = one.state();
        let rests = match state.connection_status {
            Status::Disconnected => state.connection_error.is_some(),
            Status::Connecting | Status::Reconnecting | Status::Leaving => false,
            _ => true,
        };
        assert!(rests, "{} is stuck {:?}", one.name, one.statuses);
    }
    for viewer in &inside {
        let others = inside.iter().filter(|other| other.name != viewer.name);
        let ids: BTreeSet<_> = others.clone().map(|other| other.id()).collect();
        let seen = viewer.state().remote_participants.iter();
        let seen: Vec<_> = seen.map(|remote| &remote.id).collect();
        assert_eq!(seen.len(), ids.len(), "{} sees {seen:?}", viewer.name);
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), ids);
        assert_eq!(viewer.state().is_locked, inside[0].state().is_locked);
        for other in others {
            let who = format!("{} sees {}", viewer.name, other.name);
            let remote = room.seen_by(viewer.name).participant(other.name);
            let own = other.state();
            let local = &own.local_participant;
            assert_eq!(remote.display_name, local.display_name, "{who}");
            assert_eq!(remote.is_audio_enabled, own.is_microphone_enabled, "{who}");
            assert_eq!(remote.is_video_enabled, own.is_camera_enabled, "{who}");
            assert_eq!(remote.sticky_reaction, local.sticky_reaction, "{who}");
            let group = |group: &Option<String>| group.clone().unwrap_or_default();
            let (theirs, ours) = (group(&local.breakout_group), viewer.state());
            let ours = group(&ours.local_participant.breakout_group);
            assert_eq!(group(&remote.breakout_group), theirs, "{who}");
            if ours == theirs {
                assert!(room.seen_by(viewer.name).receives(other.name), "{who}");
            } else {
                continue;
            }
            let shown = remote.presentation_stream.as_ref().map(|stream| &stream.id);
            let share = own.screenshares.iter().find(|share| share.is_local);
            assert_eq!(shown, share.map(|share| &share.id), "{who}");
        }
    }
    let knocking: BTreeSet<_> = room
        .participants
        .values()
        .filter(|one| {
            let status = one.state().connection_status;
            matches!(status, Status::Knocking | Status::KnockOnHold)
        })
        .map(|one| one.id())
        .collect();
    for host in inside.iter().filter(|one| one.key.is_some()) {
        let waiting = host.state().waiting_participants.iter();
        let waiting: BTreeSet<_> = waiting.map(|one| &one.id).collect();
        assert_eq!(waiting, knocking, "who waits, as {} sees it", host.name);
    }
}

/// Plays the steps and lets all come to rest; returns how many turns that were, and the last of them.
fn play(count: usize, hosts: usize, mode: RoomMode, steps: &[Step]) -> (u64, String) {
    let people = &NAMES[..count];
    let mut room = TestRoom::of_mode(false, mode);
    for (index, name) in people.iter().enumerate() {
        room.add(name, index < hosts);
        room.join(name);
    }
    for step in steps {
        carry_out(&mut room, people, step);
    }
    for name in people {
        room.restore(name);
    }
    room.settle();
    assert_agreement(&room);
    (room.turns, room.transcript.to_string())
}

fn mode(is_group: bool) -> RoomMode {
    if is_group {
        RoomMode::Group
    } else {
        RoomMode::Normal
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn once_all_is_quiet_everybody_sees_the_same_room(
        count in 2..=NAMES.len(),
        hosts in 1..=2usize,
        is_group in any::<bool>(),
        steps in proptest::collection::vec(step(), 1..=STEPS),
    ) {
        play(count, hosts, mode(is_group), &steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, max_shrink_iters: 200, ..ProptestConfig::default() })]

    /// Room-connection reference §7, invariant 53.
    #[test]
    fn the_same_inputs_give_the_same_states_and_events(
        is_group in any::<bool>(),
        steps in proptest::collection::vec(step(), 1..=STEPS),
    ) {
        let first = play(3, 1, mode(is_group), &steps);
        prop_assert_eq!(play(3, 1, mode(is_group), &steps), first);
    }
}
