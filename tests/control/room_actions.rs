//! Recording, transcription, captions, modes and groups by command: what goes to the room, and the reply when it came true.

use serde_json::{Value, json};

use crate::{
    broker::Broker,
    ear::Ear,
    wall::{Wall, client, room_joined, settings},
};

async fn host() -> (Broker, Ear, Wall) {
    let broker = Broker::start().await;
    let mut ear = Ear::beside(&broker).await;
    let mut wall = Wall::start(&broker, settings());
    wall.lets_in(room_joined("host")).await;
    ear.state("room", |room| room["connectionStatus"] == "connected")
        .await;
    (broker, ear, wall)
}

// conformance: action.startCloudRecording action.stopCloudRecording event.cloud-recording:status-changed [mqtt]
// conformance: field.CloudRecordingState.status field.CloudRecordingState.startedAt [mqtt]
// conformance: field.CloudRecordingState.error field.RoomConnectionState.cloudRecording rule.cloudRecording [mqtt]
#[tokio::test]
async fn a_recording_is_asked_for_runs_with_its_recorder_fails_and_ends() {
    let (_broker, mut ear, mut wall) = host().await;
    let start = ear.command("start_cloud_recording", json!({})).await;
    assert_eq!(
        wall.sent("start_recording").await,
        json!({ "recording": "cloud" })
    );
    ear.state("cloud_recording", |part| {
        part["cloudRecording"]["status"] == "requested"
    })
    .await;
    wall.says("cloud_recording_started", json!({ "error": "no_disk" }));
    let failure = ear.failure(&start).await;
    assert_eq!(
        (&failure["code"], &failure["message"]),
        (&json!("rejected_by_room"), &json!("no_disk"))
    );
    let part = ear
        .state("cloud_recording", |part| {
            part["cloudRecording"]["status"] == "error"
        })
        .await;
    assert_eq!(part["cloudRecording"]["error"], "no_disk");

    let start = ear.command("start_cloud_recording", json!({})).await;
    wall.sent("start_recording").await;
    let mut recorder = client("rec", "recorder");
    recorder["startedCloudRecordingAt"] = json!("2026-11-23T10:00:00.000Z");
    wall.says("new_client", json!({ "client": recorder }));
    ear.success(&start).await;
    let part = ear
        .state("cloud_recording", |part| {
            part["cloudRecording"]["status"] == "recording"
        })
        .await;
    assert_eq!(part["cloudRecording"]["startedAt"], 1_795_428_000_000_i64);
    let stop = ear.command("stop_cloud_recording", json!({})).await;
    wall.sent("stop_recording").await;
    wall.says("cloud_recording_stopped", Value::Null);
    ear.success(&stop).await;
    ear.event_where("cloud_recording_status_changed", |event| {
        event["cloudRecording"].is_null()
    })
    .await;
    let told = ear.told("cloud_recording_status_changed", "cloudRecording");
    let told: Vec<&Value> = told.iter().map(|recording| &recording["status"]).collect();
    assert_eq!(
        told,
        [
            &json!("requested"),
            &json!("error"),
            &json!("requested"),
            &json!("recording"),
            &Value::Null
        ]
    );
}

// conformance: action.startLiveTranscription action.stopLiveTranscription [mqtt]
// conformance: event.live-transcription:status-changed field.LiveTranscriptionState.status [mqtt]
// conformance: field.LiveTranscriptionState.startedAt field.LiveTranscriptionState.error [mqtt]
// conformance: field.RoomConnectionState.liveTranscription rule.liveTranscription [mqtt]
#[tokio::test]
async fn a_transcription_is_asked_for_fails_runs_and_ends() {
    let (_broker, mut ear, mut wall) = host().await;
    let start = ear.command("start_live_transcription", json!({})).await;
    wall.sent("start_live_transcription").await;
    ear.event_where("live_transcription_status_changed", |event| {
        event["liveTranscription"]["status"] == "requested"
    })
    .await;
    wall.says(
        "live_transcription_started",
        json!({ "error": "not_enabled" }),
    );
    assert_eq!(ear.failure(&start).await["message"], "not_enabled");
    let part = ear
        .state("live_transcription", |part| {
            part["liveTranscription"]["status"] == "error"
        })
        .await;
    assert_eq!(part["liveTranscription"]["error"], "not_enabled");
    let start = ear.command("start_live_transcription", json!({})).await;
    wall.sent("start_live_transcription").await;
    wall.says(
        "live_transcription_started",
        json!({ "transcriptionId": "t" }),
    );
    ear.success(&start).await;
    let part = ear
        .state("live_transcription", |part| {
            part["liveTranscription"]["status"] == "transcribing"
        })
        .await;
    assert!(part["liveTranscription"]["startedAt"].is_i64(), "{part}");
    let stop = ear.command("stop_live_transcription", json!({})).await;
    wall.sent("stop_live_transcription").await;
    wall.says(
        "live_transcription_stopped",
        json!({ "transcriptionId": "t" }),
    );
    ear.success(&stop).await;
    ear.event_where("live_transcription_status_changed", |event| {
        event["liveTranscription"].is_null()
    })
    .await;
}

// conformance: action.startLiveCaptions action.stopLiveCaptions event.live-captions:status-changed [mqtt]
// conformance: field.LiveCaptionsState.status field.LiveCaptionsState.startedAt field.LiveCaptionsState.error [mqtt]
// conformance: field.LiveCaptionsState.captionLog field.LiveCaption.resultId field.LiveCaption.participantId [mqtt]
// conformance: field.LiveCaption.text field.LiveCaption.timestamp field.RoomConnectionState.liveCaptions [mqtt]
// conformance: field.RoomConnectionState.liveStream rule.liveCaptions [mqtt]
#[tokio::test]
async fn captions_are_asked_for_come_and_end() {
    let (_broker, mut ear, mut wall) = host().await;
    let start = ear.command("start_live_captions", json!({})).await;
    wall.sent("live_captions_enabled").await;
    wall.says("live_captions_started", json!({ "error": "no_captioner" }));
    assert_eq!(ear.failure(&start).await["message"], "no_captioner");
    let part = ear
        .state("live_captions", |part| {
            part["liveCaptions"]["status"] == "error"
        })
        .await;
    assert_eq!(part["liveCaptions"]["error"], "no_captioner");
    let start = ear.command("start_live_captions", json!({})).await;
    wall.sent("live_captions_enabled").await;
    wall.says("live_captions_started", json!({}));
    ear.success(&start).await;
    wall.says(
        "live_caption",
        json!({ "resultId": "r1", "senderId": "a", "text": "Good" }),
    );
    wall.says(
        "live_caption",
        json!({ "resultId": "r1", "senderId": "a", "text": "Good morning" }),
    );
    let part = ear
        .state("live_captions", |part| {
            part["liveCaptions"]["captionLog"][0]["text"] == "Good morning"
        })
        .await;
    let captions = &part["liveCaptions"];
    assert_eq!(captions["status"], "captioning");
    assert!(captions["startedAt"].is_i64(), "{captions}");
    let caption = &captions["captionLog"][0];
    assert_eq!(
        (&caption["resultId"], &caption["participantId"]),
        (&json!("r1"), &json!("a"))
    );
    assert!(caption["timestamp"].is_i64(), "{caption}");
    assert_eq!(captions["captionLog"].as_array().unwrap().len(), 1);
    let stop = ear.command("stop_live_captions", json!({})).await;
    wall.sent("live_captions_disabled").await;
    wall.says("live_captions_stopped", Value::Null);
    ear.success(&stop).await;
    ear.event_where("live_captions_status_changed", |event| {
        event["liveCaptions"].is_null()
    })
    .await;
    assert_eq!(
        ear.state("live_stream", |_| true).await,
        json!({ "liveStream": null })
    );
}

// conformance: action.toggleHdMode action.toggleLowDataMode action.toggleWidescreenMode [mqtt]
// conformance: field.MediaStreamConstraints.video [mqtt]
#[tokio::test]
async fn the_modes_of_the_camera_are_switched_in_a_room_and_shown() {
    let (_broker, mut ear, _wall) = host().await;
    let camera = ear
        .command("toggle_camera", json!({ "enabled": true }))
        .await;
    ear.success(&camera).await;
    for (command, enabled, mode, widescreen) in [
        ("toggle_hd_mode", false, "sd", true),
        ("toggle_low_data_mode", true, "low_data", true),
        ("toggle_widescreen_mode", false, "low_data", false),
        ("toggle_low_data_mode", false, "sd", false),
        ("toggle_hd_mode", true, "hd", false),
    ] {
        ear.forget();
        let id = ear.command(command, json!({ "enabled": enabled })).await;
        assert_eq!(ear.success(&id).await, json!({ "enabled": enabled }));
        let media = ear
            .state("local_media", |media| {
                media["mode"] == mode && media["widescreen"] == widescreen
            })
            .await;
        assert_eq!(media["changedBy"]["source"], "mqtt");
    }
}

// conformance: action.switchCameraEffect action.clearCameraEffect action.enableAudioDenoiser [mqtt]
// conformance: action.disableAudioDenoiser [mqtt]
#[tokio::test]
async fn effects_that_info_does_not_list_are_not_supported() {
    let (_broker, mut ear, _wall) = host().await;
    let info = ear.on("info", |_| true).await;
    let capabilities = info["capabilities"].as_array().unwrap();
    let commands = info["commands"].as_array().unwrap();
    for (command, arguments) in [
        ("switch_camera_effect", json!({ "effectId": "blur" })),
        ("clear_camera_effect", json!({})),
        ("enable_audio_denoiser", json!({})),
        ("disable_audio_denoiser", json!({})),
    ] {
        let id = ear.command(command, arguments).await;
        assert_eq!(ear.failure(&id).await["code"], "not_supported", "{command}");
        assert!(!capabilities.contains(&json!(command)) && !commands.contains(&json!(command)));
    }
}

/// What the server makes of a patch: the whole configuration.
fn session(patch: &Value) -> Value {
    let mut config = json!({
        "groups": { "g": "Group G", "h": "Group H" }, "assignments": {}, "startedAt": "2026-11-23T10:00:00.000Z",
        "breakoutStartedAt": "2026-11-23T10:00:00.000Z", "initiatedBy": { "clientId": "b", "active": true }
    });
    config
        .as_object_mut()
        .unwrap()
        .extend(patch.as_object().unwrap().clone());
    config.as_object_mut().unwrap().shift_remove("active");
    config
}

// conformance: action.startBreakoutSession action.updateBreakoutSession action.assignAllBreakoutParticipants [mqtt]
// conformance: action.shuffleBreakoutParticipants rule.breakoutSession rule.breakoutMoves [mqtt]
// conformance: action.joinBreakoutGroup action.joinBreakoutMainRoom [mqtt]
// conformance: field.BreakoutSessionSettings.enforceAssignment field.BreakoutSessionSettings.autoMoveToGroup [mqtt]
// conformance: field.BreakoutSessionSettings.autoMoveToMain field.BreakoutSessionSettings.moveToGroupGracePeriod [mqtt]
// conformance: field.BreakoutSessionSettings.moveToMainGracePeriod [mqtt]
// conformance: field.BreakoutSessionSettings.breakoutTimerSetting [mqtt]
// conformance: field.BreakoutSessionSettings.breakoutTimerDuration field.StartBreakoutSessionOptions.groups [mqtt]
// conformance: field.StartBreakoutSessionOptions.assignments field.UpdateBreakoutSessionOptions.groups [mqtt]
// conformance: field.UpdateBreakoutSessionOptions.assignments [mqtt]
#[tokio::test]
async fn groups_are_started_changed_dealt_and_entered() {
    let (_broker, mut ear, mut wall) = host().await;
    wall.says("new_client", json!({ "client": client("c", "visitor") }));
    ear.event("remote_participants_changed").await;
    let settings = json!({
        "enforceAssignment": false, "autoMoveToGroup": true, "autoMoveToMain": true, "moveToGroupGracePeriod": 5.0,
        "moveToMainGracePeriod": 6.0, "breakoutTimerSetting": true, "breakoutTimerDuration": 300.0
    });
    let with = |more: Value| {
        let mut all = settings.clone();
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    };
    let groups = json!({ "g": "Group G", "h": "Group H" });
    let start = ear
        .command(
            "start_breakout_session",
            with(json!({ "groups": groups, "assignments": { "a": "g" } })),
        )
        .await;
    let patch = wall.sent("update_breakout_session").await;
    assert_eq!(
        patch,
        with(json!({ "active": true, "groups": groups, "assignments": { "device-a": "g" } }))
    );
    wall.says("breakout_session_updated", session(&patch));
    ear.success(&start).await;
    let breakout = ear
        .state("breakout", |breakout| breakout["isActive"] == true)
        .await;
    for (name, value) in settings.as_object().unwrap() {
        assert_eq!(breakout[name], *value, "{name}");
    }

    let groups = json!({ "g": "Group G", "x": "Group X" });
    let update = ear
        .command(
            "update_breakout_session",
            json!({ "groups": groups, "assignments": { "a": "x", "b": "" } }),
        )
        .await;
    let patch = wall.sent("update_breakout_session").await;
    assert_eq!(
        patch,
        json!({ "groups": groups, "assignments": { "device-a": "x", "d": "" } })
    );
    wall.says("breakout_session_updated", session(&patch));
    ear.success(&update).await;

    for (command, devices) in [
        ("assign_all_breakout_participants", ["device-a", "device-c"]),
        ("shuffle_breakout_participants", ["device-a", "device-c"]),
    ] {
        let id = ear.command(command, json!({})).await;
        let patch = wall.sent("update_breakout_session").await;
        let dealt = patch["assignments"].as_object().unwrap();
        let mut names: Vec<&str> = dealt.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, devices, "{command}");
        let mut seats: Vec<&str> = dealt.values().filter_map(Value::as_str).collect();
        seats.sort_unstable();
        assert_eq!(seats, ["g", "x"], "{command}: one in each");
        let mut config = session(&patch);
        config["groups"] = groups.clone();
        wall.says("breakout_session_updated", config);
        ear.success(&id).await;
    }

    let enter = ear
        .command("join_breakout_group", json!({ "group": "x" }))
        .await;
    assert_eq!(
        wall.sent("join_breakout_group").await,
        json!({ "group": "x" })
    );
    wall.says(
        "breakout_group_joined",
        json!({ "clientId": "b", "group": "x" }),
    );
    ear.success(&enter).await;
    ear.state("local_participant", |local| local["breakoutGroup"] == "x")
        .await;
    let back = ear.command("join_breakout_main_room", json!({})).await;
    assert_eq!(
        wall.sent("join_breakout_group").await,
        json!({ "group": "" })
    );
    wall.says(
        "breakout_group_joined",
        json!({ "clientId": "b", "group": "" }),
    );
    ear.success(&back).await;
}
