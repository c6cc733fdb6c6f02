//! Offers, answers, screenshares, and what arrives.

use std::time::Duration;

use roomd_protocol::{
    ClientMessage,
    client::{SdpType, SessionDescription},
};
use serde_json::json;

use super::support::Desk;
use crate::{Action, Effect, MediaCommand, MediaEvent, RemoteTracks};

fn session_of(command: &MediaCommand) -> u64 {
    match command {
        MediaCommand::OpenPeer { session, .. } => *session,
        other => panic!("a new connection, not {other:?}"),
    }
}

/// A peer `a` that has answered our offer and is connected; its session.
fn connected(desk: &mut Desk) -> u64 {
    desk.signal("ready_to_receive_offer", json!({ "clientId": "a" }));
    // We solicit as well; `b` is the larger id, so it offers.
    let session = session_of(desk.media_commands().last().unwrap());
    let peer = || "a".into();
    desk.media(MediaEvent::LocalDescription {
        peer: peer(),
        session,
        kind: SdpType::Offer,
        sdp: "offer".into(),
    });
    desk.signal(
        "sdp_answer",
        json!({ "clientId": "a", "message": { "type": "answer", "sdp": "x", "sdpU": "x" } }),
    );
    desk.media(MediaEvent::PeerConnected {
        peer: peer(),
        session,
    });
    desk.effects.clear();
    session
}

fn offer_in(messages: &[ClientMessage]) -> SessionDescription {
    let relay = messages.iter().find_map(|message| match message {
        ClientMessage::SdpOffer(relay) => Some(relay),
        _ => None,
    });
    serde_json::from_str(relay.expect("an offer").message.get()).unwrap()
}

#[test]
fn a_solicitation_makes_a_new_connection_and_an_initial_offer() {
    let mut desk = Desk::in_room();
    desk.signal("ready_to_receive_offer", json!({ "clientId": "a" }));
    let commands = desk.media_commands();
    assert!(
        matches!(
            commands.as_slice(),
            [MediaCommand::OpenPeer { offer: true, .. }]
        ),
        "{commands:?}"
    );
    let session = session_of(&commands[0]);
    desk.media(MediaEvent::LocalDescription {
        peer: "a".into(),
        session,
        kind: SdpType::Offer,
        sdp: "v=0".into(),
    });
    let offer = offer_in(&desk.take_sent());
    assert_eq!(
        (offer.sdp.as_deref(), offer.sdp_u.as_deref()),
        (Some("v=0"), Some("v=0"))
    );
    assert_eq!(offer.is_initial_offer, Some(true));
}

#[test]
fn what_belongs_to_a_closed_connection_is_not_sent() {
    let mut desk = Desk::in_room();
    let old = connected(&mut desk);
    desk.signal("ready_to_receive_offer", json!({ "clientId": "a" }));
    desk.effects.clear();
    desk.media(MediaEvent::LocalDescription {
        peer: "a".into(),
        session: old,
        kind: SdpType::Offer,
        sdp: "old".into(),
    });
    assert!(desk.sent().is_empty());
}

#[test]
fn an_offer_without_a_solicitation_of_ours_outstanding_is_answered() {
    let mut desk = Desk::in_room();
    let session = connected(&mut desk);
    desk.signal("sdp_offer", json!({ "clientId": "a", "message": { "type": "offer", "sdp": "again", "isInitialOffer": false } }));
    let commands = desk.media_commands();
    assert!(
        matches!(&commands[..], [MediaCommand::RemoteDescription { kind: SdpType::Offer, sdp, .. }] if sdp == "again")
    );
    desk.media(MediaEvent::LocalDescription {
        peer: "a".into(),
        session,
        kind: SdpType::Answer,
        sdp: "yes".into(),
    });
    assert_eq!(desk.sent(), ["sdp_answer"]);
}

#[test]
fn a_screenshare_is_announced_before_it_is_offered_and_ends_before_its_offer() {
    let mut desk = Desk::in_room();
    let session = connected(&mut desk);
    desk.act(Action::StartScreenshare { source: None }).unwrap();
    assert!(matches!(
        desk.media_commands()[..],
        [MediaCommand::StartScreenshare { .. }]
    ));
    desk.media(MediaEvent::ScreenshareStarted {
        stream: "s1".into(),
        has_audio: false,
    });
    let kinds: Vec<_> = desk
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Send(message) => Some(message.name()),
            Effect::Media(MediaCommand::SetPresentation {
                stream: Some(_), ..
            }) => Some("SetPresentation"),
            _ => None,
        })
        .collect();
    assert_eq!(kinds, ["start_screenshare", "SetPresentation"]);
    desk.effects.clear();
    desk.media(MediaEvent::LocalDescription {
        peer: "a".into(),
        session,
        kind: SdpType::Offer,
        sdp: "share".into(),
    });
    assert_eq!(offer_in(&desk.take_sent()).is_initial_offer, Some(false));

    // Stopped while the answer is outstanding: the offer without it waits for the answer.
    desk.act(Action::StopScreenshare).unwrap();
    assert!(
        !desk
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Media(MediaCommand::SetPresentation { .. })))
    );
    assert_eq!(desk.sent(), ["stop_screenshare"]);
    desk.signal(
        "sdp_answer",
        json!({ "clientId": "a", "message": { "type": "answer", "sdp": "x" } }),
    );
    let commands = desk.media_commands();
    assert!(
        matches!(
            commands.last(),
            Some(MediaCommand::SetPresentation { stream: None, .. })
        ),
        "{commands:?}"
    );
}

#[test]
fn crossing_offers_are_repaired_by_the_smaller_id_at_once_and_by_the_larger_after_a_wait() {
    let mut desk = Desk::in_room();
    let session = connected(&mut desk);
    desk.act(Action::StartScreenshare { source: None }).unwrap();
    desk.media(MediaEvent::ScreenshareStarted {
        stream: "s1".into(),
        has_audio: false,
    });
    desk.media(MediaEvent::LocalDescription {
        peer: "a".into(),
        session,
        kind: SdpType::Offer,
        sdp: "share".into(),
    });
    desk.effects.clear();
    desk.signal(
        "sdp_offer",
        json!({ "clientId": "a", "message": { "type": "offer", "sdp": "theirs" } }),
    );
    assert!(
        matches!(desk.media_commands()[..], [MediaCommand::ClosePeer { .. }]),
        "b waits for a"
    );
    desk.advance(Duration::from_secs(2));
    assert_eq!(
        desk.sent(),
        ["ready_to_receive_offer"],
        "a did not act: it is an SDK"
    );
}

#[test]
fn a_peer_that_never_offers_is_solicited_again_ever_more_slowly() {
    let mut desk = Desk::in_room();
    let mut pauses = Vec::new();
    for _ in 0..4 {
        let before = desk.now.instant;
        loop {
            let next = desk.room.next_deadline().unwrap();
            desk.advance(next.saturating_duration_since(desk.now.instant));
            if desk.sent().contains(&"ready_to_receive_offer") {
                break;
            }
        }
        pauses.push(desk.now.instant.duration_since(before).as_secs());
    }
    assert_eq!(pauses, [10, 14, 18, 26]);
}

#[test]
fn an_announced_stream_is_a_presentation_and_the_other_one_the_camera() {
    let mut desk = Desk::in_room();
    let session = connected(&mut desk);
    let video = RemoteTracks {
        video: true,
        ..RemoteTracks::default()
    };
    let arrives = |stream: &str| MediaEvent::RemoteStream {
        peer: "a".into(),
        session,
        stream: stream.into(),
        tracks: video.clone(),
    };
    desk.media(arrives("cam"));
    desk.signal(
        "screenshare_started",
        json!({ "clientId": "a", "streamId": "scr", "hasAudioTrack": false }),
    );
    desk.media(arrives("scr"));
    let participant = &desk.room.state().remote_participants[0];
    assert_eq!(participant.stream.as_ref().unwrap().id.as_str(), "cam");
    assert_eq!(
        participant
            .presentation_stream
            .as_ref()
            .unwrap()
            .id
            .as_str(),
        "scr"
    );
    assert_eq!(desk.room.state().screenshares.len(), 1);
    desk.signal(
        "screenshare_stopped",
        json!({ "clientId": "a", "streamId": "scr" }),
    );
    assert!(desk.room.state().screenshares.is_empty());
}

#[test]
fn what_still_arrives_of_an_ended_share_is_no_share_until_it_is_announced_again() {
    let mut desk = Desk::in_room();
    let session = connected(&mut desk);
    let share = |event: &str| {
        (
            event.to_owned(),
            json!({ "clientId": "a", "streamId": "scr", "hasAudioTrack": false }),
        )
    };
    let arrives = |stream: &str, receiving| MediaEvent::RemoteStream {
        peer: "a".into(),
        session,
        stream: stream.into(),
        tracks: RemoteTracks {
            video: true,
            receiving,
            ..RemoteTracks::default()
        },
    };
    desk.media(arrives("cam", true));
    for (event, payload) in [share("screenshare_started"), share("screenshare_stopped")] {
        desk.media(arrives("scr", true));
        desk.signal(&event, payload);
    }
    // The next description is still under way.
    desk.media(arrives("scr", false));
    assert!(desk.room.state().screenshares.is_empty());
    let (event, payload) = share("screenshare_started");
    desk.signal(&event, payload);
    desk.media(arrives("scr", true));
    assert_eq!(desk.room.state().screenshares.len(), 1);
    let participant = &desk.room.state().remote_participants[0];
    assert_eq!(participant.stream.as_ref().unwrap().id.as_str(), "cam");
}

#[test]
fn a_microphone_that_does_not_open_is_not_announced_as_open() {
    let mut desk = Desk::in_room();
    desk.act(Action::ToggleMicrophone(Some(true))).unwrap();
    desk.effects.clear();
    desk.media(MediaEvent::Microphone(crate::CaptureReport {
        device: "usb".into(),
        open: false,
        flowing: false,
        error: Some("unplugged".into()),
        returning: false,
    }));
    assert!(!desk.room.state().local_participant.is_audio_enabled);
    let sent = desk.take_sent();
    assert!(
        matches!(sent[..], [ClientMessage::EnableAudio(enable)] if !enable.enabled),
        "{sent:?}"
    );
}

#[test]
fn a_camera_that_is_lost_and_waited_for_stays_on_until_somebody_switches_it_off() {
    let mut desk = Desk::in_room();
    desk.act(Action::ToggleCamera(Some(true))).unwrap();
    desk.effects.clear();
    desk.media(MediaEvent::Camera(crate::CaptureReport {
        device: "usb".into(),
        error: Some("unplugged".into()),
        returning: true,
        ..crate::CaptureReport::default()
    }));
    assert!(desk.room.state().local_participant.is_video_enabled);
    assert_eq!(desk.take_sent(), []);
    desk.act(Action::ToggleCamera(Some(false))).unwrap();
    assert!(!desk.room.state().local_participant.is_video_enabled);
}
