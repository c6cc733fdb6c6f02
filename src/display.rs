//! What the display shows, as a pure function of the state. It always tells where things stand: the
//! room, who is there, what is wrong and what to do about it; never nothing.

use roomd_media::scene::{Scene, Tile};
use roomd_room::{
    ConnectionStatus as Status, RoomConnectionState,
    state::{CloudRecordingStatus as Recording, RemoteParticipant},
};

use crate::appliance::{ApplianceState, PendingRequest, RequestKind, state::MediaState};

/// The scene for a state.
#[must_use]
pub fn scene(room: &RoomConnectionState, shown: &ApplianceState) -> Scene {
    Scene {
        title: title(room, shown),
        message: message(room, shown),
        notice: notice(shown),
        status: status(room, shown),
        tiles: tiles(room),
    }
}

fn title(room: &RoomConnectionState, shown: &ApplianceState) -> String {
    match (room.room_name.trim_start_matches('/'), &shown.room.room_url) {
        ("", None) => "roomd".to_owned(),
        ("", Some(url)) => url.clone(),
        (name, _) => name.to_owned(),
    }
}

fn message(room: &RoomConnectionState, shown: &ApplianceState) -> Option<String> {
    let trouble = shown.problems.iter().find(|problem| {
        matches!(
            problem.code.as_str(),
            "room_unreachable" | "join_refused" | "identity_taken"
        )
    });
    let explained = |headline: &str| match trouble {
        Some(problem) => format!("{headline}\n{}\n{}", problem.message, problem.remedy),
        None => headline.to_owned(),
    };
    let host_says = || {
        room.knock_response
            .as_ref()
            .and_then(|response| response.message.clone())
            .unwrap_or_default()
    };
    Some(match room.connection_status {
        Status::Connected if room.remote_participants.is_empty() => {
            "Nobody else is here yet".to_owned()
        }
        Status::Connected => return None,
        Status::Ready if trouble.is_some_and(|problem| problem.code == "identity_taken") => {
            explained("Another connection took this room's place")
        }
        Status::Ready if shown.room.room_url.is_some() => explained("Connecting …"),
        Status::Ready => {
            "Ready\nJoin a room over MQTT, with a button or with roomd ctl join_room".to_owned()
        }
        Status::Connecting => explained("Connecting …"),
        Status::RoomLocked => "The room is locked\nKnock to be let in".to_owned(),
        Status::Knocking => "Waiting for the host to let this room in".to_owned(),
        Status::KnockOnHold => with_line("The host asks you to wait", &host_says()),
        Status::KnockRejected => with_line("The host did not let this room in", &host_says()),
        Status::Kicked => {
            "This room was removed from the meeting\nJoin again when the host agrees".to_owned()
        }
        Status::Leaving => "Leaving …".to_owned(),
        Status::Left => "The meeting was left".to_owned(),
        Status::Disconnected => match &room.connection_error {
            Some(_) => explained("The room cannot be joined"),
            None => explained("The connection is lost, trying again …"),
        },
        Status::Reconnecting => explained("The connection is back, joining again …"),
    })
}

/// Which box this is, when somebody wants to know; else the questions that stand, and how to answer them with
/// whatever switches the devices.
fn notice(shown: &ApplianceState) -> Option<String> {
    if let Some(name) = &shown.identify {
        return Some(format!("This is {name}"));
    }
    let mut lines: Vec<String> = shown
        .requests
        .iter()
        .take(SHOWN_REQUESTS)
        .map(question)
        .collect();
    let answer = match (lines.len(), shown.requests.first()?.kind) {
        (1, RequestKind::Unmute) => "Unmute to accept, or do nothing to decline",
        (1, RequestKind::CameraOn) => "Turn the camera on to accept, or do nothing to decline",
        _ => "Switch it on to accept, or do nothing to decline",
    };
    lines.push(answer.to_owned());
    Some(lines.join("\n"))
}

/// "Anna asks you to unmute".
#[must_use]
pub fn question(request: &PendingRequest) -> String {
    let name: String = match request.display_name.trim() {
        "" => "Guest".to_owned(),
        name => name.chars().take(LONGEST_NAME).collect(),
    };
    match request.kind {
        RequestKind::Unmute => format!("{name} asks you to unmute"),
        RequestKind::CameraOn => format!("{name} asks you to turn the camera on"),
    }
}

/// How many questions are shown at once.
const SHOWN_REQUESTS: usize = 2;
/// Longest name in a question, in characters, so that the question fits behind it.
const LONGEST_NAME: usize = 40;

fn with_line(headline: &str, line: &str) -> String {
    if line.is_empty() {
        headline.to_owned()
    } else {
        format!("{headline}\n{line}")
    }
}

fn status(room: &RoomConnectionState, shown: &ApplianceState) -> String {
    let microphone = match shown.local_media.microphone.state {
        MediaState::On => "Microphone on",
        MediaState::Failed => "Microphone failed",
        MediaState::Starting => "Microphone starting",
        MediaState::Muted | MediaState::Off => "Microphone muted",
    };
    let camera = match shown.local_media.camera.state {
        MediaState::On => "Camera on",
        MediaState::Failed => "Camera failed",
        MediaState::Starting => "Camera starting",
        MediaState::Muted | MediaState::Off => "Camera off",
    };
    // First, where nothing that follows can push it off the screen: everybody has a right to know.
    let recording = room
        .cloud_recording
        .as_ref()
        .map(|recording| recording.status);
    let mut parts: Vec<String> = recording
        .map(|recording| match recording {
            Recording::Recording => "Recording".to_owned(),
            Recording::Requested => "Recording is starting".to_owned(),
            Recording::Error => "Recording failed".to_owned(),
        })
        .into_iter()
        .collect();
    parts.extend([microphone.to_owned(), camera.to_owned()]);
    if room.local_participant.sticky_reaction.is_some() {
        parts.push("Hand raised".to_owned());
    }
    if room.local_participant.is_screen_sharing {
        parts.push("Sharing the screen".to_owned());
    }
    if room.is_locked && room.connection_status == Status::Connected {
        parts.push("Room locked".to_owned());
    }
    match room.waiting_participants.len() {
        0 => {}
        1 => parts.push("1 person waits outside".to_owned()),
        count => parts.push(format!("{count} people wait outside")),
    }
    parts.join("   ·   ")
}

fn tiles(room: &RoomConnectionState) -> Vec<Tile> {
    if room.connection_status != Status::Connected && room.connection_status != Status::Disconnected
    {
        return Vec::new();
    }
    let mut tiles = Vec::new();
    for participant in &room.remote_participants {
        if let Some(presentation) = &participant.presentation_stream {
            tiles.push(Tile {
                peer: participant.id.clone(),
                stream: Some(presentation.id.clone()),
                label: format!("{} presents", name(participant)),
                video_off: false,
                presentation: true,
            });
        }
    }
    for participant in &room.remote_participants {
        tiles.push(Tile {
            peer: participant.id.clone(),
            stream: participant.stream.as_ref().map(|stream| stream.id.clone()),
            label: label(participant),
            video_off: !participant.is_video_enabled,
            presentation: false,
        });
    }
    tiles
}

fn name(participant: &RemoteParticipant) -> &str {
    if participant.display_name.is_empty() {
        "Guest"
    } else {
        &participant.display_name
    }
}

fn label(participant: &RemoteParticipant) -> String {
    let mut label = name(participant).to_owned();
    if !participant.is_audio_enabled {
        label.push_str(" (muted)");
    }
    if participant.sticky_reaction.is_some() {
        label.push_str(" (hand raised)");
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Status; 12] = [
        Status::Ready,
        Status::Connecting,
        Status::Connected,
        Status::RoomLocked,
        Status::Knocking,
        Status::KnockOnHold,
        Status::KnockRejected,
        Status::Kicked,
        Status::Leaving,
        Status::Left,
        Status::Disconnected,
        Status::Reconnecting,
    ];

    #[test]
    fn every_status_is_told_and_none_leaves_the_display_empty() {
        let mut told = Vec::new();
        for status in ALL {
            let room = RoomConnectionState {
                connection_status: status,
                ..RoomConnectionState::default()
            };
            let scene = scene(&room, &ApplianceState::default());
            let message = scene
                .message
                .expect("alone in a room there is something to say");
            assert!(!message.is_empty() && !scene.title.is_empty() && !scene.status.is_empty());
            assert!(!told.contains(&message), "{message} is said twice");
            told.push(message);
        }
    }

    fn asked(kind: RequestKind, display_name: &str) -> PendingRequest {
        PendingRequest {
            request_id: "1".to_owned(),
            kind,
            participant_id: "a".into(),
            display_name: display_name.to_owned(),
            asked_at: String::new(),
            expires_at: String::new(),
        }
    }

    #[test]
    fn a_question_of_somebody_in_the_room_is_shown_with_how_to_answer_it() {
        let shown = |requests: Vec<PendingRequest>| {
            let shown = ApplianceState {
                requests: requests.into(),
                ..ApplianceState::default()
            };
            scene(&RoomConnectionState::default(), &shown).notice
        };
        assert_eq!(shown(Vec::new()), None);
        let identified = ApplianceState {
            identify: Some("Wall".to_owned()),
            ..ApplianceState::default()
        };
        let scene = scene(&RoomConnectionState::default(), &identified);
        assert_eq!(scene.notice.as_deref(), Some("This is Wall"));
        assert_eq!(
            shown(vec![asked(RequestKind::Unmute, "Anna")]).as_deref(),
            Some("Anna asks you to unmute\nUnmute to accept, or do nothing to decline")
        );
        let both = vec![
            asked(RequestKind::CameraOn, ""),
            asked(RequestKind::Unmute, &"x".repeat(400)),
            asked(RequestKind::Unmute, "Third"),
        ];
        let text = shown(both).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "Guest asks you to turn the camera on");
        assert!(lines[1].ends_with(" asks you to unmute") && lines[1].len() < 70);
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn the_display_says_first_that_the_room_is_recorded_and_never_when_it_is_not() {
        use roomd_room::state::CloudRecording;
        let status = |recording: Option<Recording>| {
            let room = RoomConnectionState {
                cloud_recording: recording.map(|status| CloudRecording {
                    status,
                    started_at: None,
                    error: None,
                }),
                ..RoomConnectionState::default()
            };
            scene(&room, &ApplianceState::default()).status
        };
        assert!(status(Some(Recording::Recording)).starts_with("Recording   ·"));
        assert!(status(Some(Recording::Requested)).starts_with("Recording is starting   ·"));
        assert!(status(Some(Recording::Error)).starts_with("Recording failed   ·"));
        assert!(!status(None).contains("Recording"));
    }

    #[test]
    fn the_display_never_says_muted_while_the_microphone_is_on() {
        let mut shown = ApplianceState::default();
        let mut media = (*shown.local_media).clone();
        media.microphone.state = MediaState::On;
        shown.local_media = media.into();
        assert!(
            scene(&RoomConnectionState::default(), &shown)
                .status
                .contains("Microphone on")
        );
    }
}
