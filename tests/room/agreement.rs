//! Whatever people do and networks break: once all is quiet, everybody sees the same room.

use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;
use roomd_protocol::ClientId;
use roomd_room::{Action, ConnectionStatus as Status};

use crate::support::TestRoom;

const NAMES: [&str; 5] = ["desk", "wall", "page", "hall", "attic"];
/// Most steps of a case; half as many on average.
const STEPS: usize = 160;
/// Some 24,000 steps in all.
const CASES: u32 = 300;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Microphone(usize),
    Camera(usize),
    Hand(usize),
    Name(usize, u8),
    StartScreenshare(usize),
    StopScreenshare(usize),
    Lock(usize, bool),
    Mute(usize, usize),
    CameraOff(usize, usize),
    Kick(usize, usize),
    Knock(usize),
    CancelKnock(usize),
    Accept(usize),
    Hold(usize),
    Reject(usize),
    Leave(usize),
    Join(usize),
    Cut(usize, u64),
    CutOff(usize),
    Restore(usize),
    RestartServer,
    Restart(usize, u64),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..NAMES.len();
    let pair = (who.clone(), who.clone());
    prop_oneof![
        4 => who.clone().prop_map(Step::Microphone),
        4 => who.clone().prop_map(Step::Camera),
        4 => who.clone().prop_map(Step::Hand),
        2 => (who.clone(), any::<u8>()).prop_map(|(who, text)| Step::Name(who, text)),
        3 => who.clone().prop_map(Step::StartScreenshare),
        3 => who.clone().prop_map(Step::StopScreenshare),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, locked)| Step::Lock(who, locked)),
        2 => pair.clone().prop_map(|(host, whom)| Step::Mute(host, whom)),
        1 => pair.clone().prop_map(|(host, whom)| Step::CameraOff(host, whom)),
        1 => pair.prop_map(|(host, whom)| Step::Kick(host, whom)),
        2 => who.clone().prop_map(Step::Knock),
        1 => who.clone().prop_map(Step::CancelKnock),
        2 => who.clone().prop_map(Step::Accept),
        1 => who.clone().prop_map(Step::Hold),
        1 => who.clone().prop_map(Step::Reject),
        1 => who.clone().prop_map(Step::Leave),
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
fn carry_out(room: &mut TestRoom, people: &[&'static str], step: Step) {
    let name = |index: usize| people[index % people.len()];
    let id = |room: &TestRoom, index| room.participants[name(index)].id().clone();
    let waiting = |room: &TestRoom, index| {
        let waiting = &room.participants[name(index)].state().waiting_participants;
        waiting.first().map(|one| one.id.clone())
    };
    let for_first = |action: fn(ClientId) -> Action, id: Option<ClientId>| id.map(action);
    let (who, action) = match step {
        Step::Microphone(who) => (who, Some(Action::ToggleMicrophone(None))),
        Step::Camera(who) => (who, Some(Action::ToggleCamera(None))),
        Step::Hand(who) => (who, Some(Action::ToggleRaiseHand(None))),
        Step::Name(who, text) => (who, Some(Action::SetDisplayName(format!("name {text}")))),
        Step::StartScreenshare(who) => (who, Some(Action::StartScreenshare { source: None })),
        Step::StopScreenshare(who) => (who, Some(Action::StopScreenshare)),
        Step::Lock(who, locked) => (who, Some(Action::LockRoom(locked))),
        Step::Mute(who, whom) => (who, Some(Action::MuteParticipants(vec![id(room, whom)]))),
        Step::CameraOff(who, whom) => {
            let whom = vec![id(room, whom)];
            (who, Some(Action::TurnOffParticipantCameras(whom)))
        }
        Step::Kick(who, whom) => (who, Some(Action::KickParticipant(id(room, whom)))),
        Step::Knock(who) => (who, Some(Action::Knock)),
        Step::CancelKnock(who) => (who, Some(Action::CancelKnock)),
        Step::Accept(who) => {
            let first = waiting(room, who);
            (who, for_first(Action::AcceptWaitingParticipant, first))
        }
        Step::Hold(who) => {
            let first = waiting(room, who);
            (
                who,
                for_first(|id| Action::HoldWaitingParticipant(id, None), first),
            )
        }
        Step::Reject(who) => {
            let first = waiting(room, who);
            (
                who,
                for_first(|id| Action::RejectWaitingParticipant(id, None), first),
            )
        }
        Step::Leave(who) => (who, Some(Action::LeaveRoom)),
        Step::Join(who) => {
            if !room.participants[name(who)].is_connected() {
                room.join(name(who));
            }
            return;
        }
        Step::Cut(who, late) => {
            return room.cut_connection_of(name(who), Duration::from_millis(late));
        }
        Step::CutOff(who) => return room.cut_off(name(who)),
        Step::Restore(who) => return room.restore(name(who)),
        Step::RestartServer => return room.restart_server(),
        Step::Restart(who, after) => {
            return room.restart(name(who), Duration::from_millis(after));
        }
        Step::Wait(ms) => return room.advance(Duration::from_millis(ms)),
    };
    if let Some(action) = action {
        let _refused = room.try_act(name(who), action);
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
            assert!(room.seen_by(viewer.name).receives(other.name), "{who}");
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

fn play(count: usize, hosts: usize, steps: Vec<Step>) {
    let people = &NAMES[..count];
    let mut room = TestRoom::empty(false);
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
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, max_shrink_iters: 2000, ..ProptestConfig::default() })]

    #[test]
    fn once_all_is_quiet_everybody_sees_the_same_room(
        count in 2..=NAMES.len(),
        hosts in 1..=2usize,
        steps in proptest::collection::vec(step(), 1..=STEPS),
    ) {
        play(count, hosts, steps);
    }
}
