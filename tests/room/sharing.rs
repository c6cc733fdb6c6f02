//! What one shows, the others see: mute, camera, name, hand, chat and screenshares.

use std::time::Duration;

use roomd_room::Action;

use crate::support::TestRoom;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn mute_camera_and_names_agree_for_all() {
    let mut room = TestRoom::with_participants(["desk", "wall", "page"]);
    room.act("wall", Action::ToggleMicrophone(Some(true)));
    room.act("page", Action::ToggleCamera(Some(true)));
    room.act("page", Action::SetDisplayName("Page 2".into()));
    room.advance(SECOND);
    for viewer in ["desk", "page"] {
        let wall = room.seen_by(viewer).participant("wall");
        assert!(wall.is_audio_enabled && !wall.is_video_enabled, "{viewer}");
    }
    for viewer in ["desk", "wall"] {
        let page = room.seen_by(viewer).participant("page");
        assert!(!page.is_audio_enabled && page.is_video_enabled, "{viewer}");
        assert_eq!(page.display_name, "Page 2", "{viewer}");
    }
}

#[test]
fn a_host_mutes_somebody_for_all() {
    let mut room = TestRoom::with_participants(["desk", "wall", "page"]);
    room.act("wall", Action::ToggleMicrophone(Some(true)));
    room.advance(SECOND);
    let wall = room.participants["wall"].id().clone();
    room.act("desk", Action::MuteParticipants(vec![wall]));
    room.advance(SECOND);
    assert!(!room.participants["wall"].state().is_microphone_enabled);
    for viewer in ["desk", "page"] {
        assert!(!room.seen_by(viewer).participant("wall").is_audio_enabled);
    }
}

#[test]
fn a_late_joiner_sees_hands_and_screenshares() {
    let mut room = TestRoom::with_participants(["desk", "wall"]);
    room.act("wall", Action::ToggleRaiseHand(Some(true)));
    room.act("desk", Action::StartScreenshare { source: None });
    room.advance(2 * SECOND);
    room.add("page", false);
    room.join("page");
    room.advance(3 * SECOND);
    let page = room.seen_by("page");
    assert!(page.participant("wall").sticky_reaction.is_some());
    let desk = page.participant("desk");
    assert_eq!(
        desk.presentation_stream.as_ref().unwrap().id.as_str(),
        "desk-share-1"
    );
    assert_eq!(desk.stream.as_ref().unwrap().id.as_str(), "desk-camera");
}

#[test]
fn a_screenshare_comes_and_goes_three_times_and_the_camera_stays() {
    let mut room = TestRoom::with_participants(["desk", "wall"]);
    for round in 1..=3 {
        room.act("wall", Action::StartScreenshare { source: None });
        room.advance(SECOND);
        let seen = room.seen_by("desk").participant("wall");
        let shown = seen.presentation_stream.as_ref().unwrap();
        assert_eq!(shown.id.as_str(), format!("wall-share-{round}"));
        room.act("wall", Action::StopScreenshare);
        room.advance(SECOND);
        let seen = room.seen_by("desk").participant("wall");
        assert!(seen.presentation_stream.is_none());
        assert!(seen.stream.is_some());
    }
    assert_eq!(
        room.offers.len(),
        1 + 6,
        "one for the call, two for each share"
    );
}

// conformance: action.sendChatMessage rule.chat field.RoomConnectionState.chatMessages [client]
#[test]
fn chat_reaches_everybody_once_and_in_the_same_order() {
    let mut room = TestRoom::with_participants(["desk", "wall", "page"]);
    for text in ["one", "two"] {
        for name in ["desk", "wall", "page"] {
            room.act(
                name,
                Action::SendChatMessage {
                    text: format!("{name} {text}"),
                    parent_id: None,
                    is_broadcast: false,
                },
            );
        }
    }
    room.advance(SECOND);
    let texts = |name| -> Vec<String> {
        let messages = &room.participants[name].state().chat_messages;
        messages.iter().map(|one| one.text.clone()).collect()
    };
    assert_eq!(texts("desk").len(), 6);
    assert_eq!(texts("desk"), texts("wall"));
    assert_eq!(texts("desk"), texts("page"));
}
