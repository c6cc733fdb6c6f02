//! Tiles: which participants and screenshares there are to be shown, in which order.

use roomd_protocol::{CAMERA_STREAM_ID, StreamId};

use crate::state::{ClientView, RemoteParticipant, RoomConnectionState, ViewStream};

/// All tiles in the SDK's order: one's own, one's own screenshare, then each participant's camera
/// followed by its screenshare.
#[must_use]
pub fn client_views(state: &RoomConnectionState) -> Vec<ClientView> {
    let local = &state.local_participant;
    let mut views = Vec::new();
    if local.role_name.is_person() {
        views.push(ClientView {
            id: local.id.to_string(),
            client_id: local.id.clone(),
            display_name: local.display_name.clone(),
            stream: None,
            is_local_client: true,
            is_audio_enabled: local.is_audio_enabled,
            is_video_enabled: local.is_video_enabled,
            is_presentation: false,
            has_active_presentation: None,
            breakout_group: local.breakout_group.clone(),
            breakout_group_assigned: None,
        });
    }
    if let Some(share) = state.screenshares.iter().find(|share| share.is_local) {
        views.push(ClientView {
            id: "local-screenshare".to_owned(),
            client_id: local.id.clone(),
            display_name: "Your screenshare".to_owned(),
            stream: share.stream.clone(),
            is_local_client: true,
            is_audio_enabled: share.has_audio_track,
            is_video_enabled: true,
            is_presentation: true,
            has_active_presentation: None,
            breakout_group: Some(local.breakout_group.clone().unwrap_or_default()),
            breakout_group_assigned: None,
        });
    }
    for participant in &state.remote_participants {
        views.push(camera_view(participant));
        views.extend(presentation_view(participant));
    }
    views
}

/// The tiles that a host put in front, in that order, none twice.
#[must_use]
pub fn spotlighted(state: &RoomConnectionState, views: &[ClientView]) -> Vec<ClientView> {
    let mut spotlighted: Vec<ClientView> = Vec::new();
    for spotlight in &state.spotlights {
        let view = views.iter().find(|view| {
            view.client_id == spotlight.client_id
                && view_stream(view) == Some(spotlight.stream_id.clone())
        });
        if let Some(view) = view.filter(|view| spotlighted.iter().all(|known| known.id != view.id))
        {
            spotlighted.push(view.clone());
        }
    }
    spotlighted
}

/// Id of a tile's stream as spotlights name it.
pub(crate) fn view_stream(view: &ClientView) -> Option<StreamId> {
    if view.is_presentation {
        view.stream.as_ref().map(|stream| stream.id.clone())
    } else {
        Some(CAMERA_STREAM_ID.into())
    }
}

fn name_of(participant: &RemoteParticipant) -> String {
    if participant.display_name.is_empty() {
        "Guest".to_owned()
    } else {
        participant.display_name.clone()
    }
}

fn camera_view(participant: &RemoteParticipant) -> ClientView {
    ClientView {
        id: participant.id.to_string(),
        client_id: participant.id.clone(),
        display_name: name_of(participant),
        stream: participant.stream.as_ref().map(ViewStream::from),
        is_local_client: false,
        is_audio_enabled: participant.is_audio_enabled,
        is_video_enabled: participant.is_video_enabled,
        is_presentation: false,
        has_active_presentation: Some(participant.presentation_stream.is_some()),
        breakout_group: participant.breakout_group.clone(),
        breakout_group_assigned: Some(participant.breakout_group_assigned.clone()),
    }
}

fn presentation_view(participant: &RemoteParticipant) -> Option<ClientView> {
    let stream = participant.presentation_stream.as_ref()?;
    Some(ClientView {
        id: format!("pres-{}", participant.id),
        client_id: participant.id.clone(),
        display_name: format!("Screenshare ({})", name_of(participant)),
        stream: Some(ViewStream::from(stream)),
        is_local_client: false,
        is_audio_enabled: participant.is_audio_enabled,
        is_video_enabled: true,
        is_presentation: true,
        has_active_presentation: None,
        breakout_group: participant.breakout_group.clone(),
        breakout_group_assigned: None,
    })
}
