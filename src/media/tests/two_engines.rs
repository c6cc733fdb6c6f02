//! Two engines and a relay: what one captures, the other sees and hears.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    unreachable_pub,
    reason = "tests may panic"
)]

mod support;

use std::time::Duration;

use roomd_media::{
    TestPicture,
    settings::{
        AudioSource, MediaSettings, NamedVideoSource, VideoCodec, VideoCodecs, VideoEncoding,
        VideoSource,
    },
};
use roomd_room::{CaptureReport, MediaCommand};
use support::{
    outputs::{Heard, Seen},
    relay::Room,
};

const TIME: Duration = Duration::from_secs(10);

fn settings(frequency: f64, codec: VideoCodec) -> MediaSettings {
    let encoding = VideoEncoding {
        width: 640,
        height: 360,
        fps: 30,
        bitrate: 1_000_000,
    };
    MediaSettings {
        camera: VideoSource::Test,
        microphone: AudioSource::Test {
            frequency,
            level_dbfs: -20.0,
        },
        screenshare: vec![NamedVideoSource {
            name: "slides".into(),
            source: VideoSource::Test,
        }],
        camera_encoding: encoding,
        screenshare_encoding: VideoEncoding {
            fps: 15,
            ..encoding
        },
        video_codecs: VideoCodecs(vec![codec]),
        ..MediaSettings::default()
    }
}

fn shows(seen: &Seen, picture: TestPicture) -> bool {
    seen.frames > 0
        && [0.08, 0.25, 0.42, 0.58, 0.75, 0.92].iter().all(|x| {
            let wanted = picture.colour_at(0, *x, 0.4);
            let got = seen.colour_at(*x, 0.4);
            wanted
                .iter()
                .zip(got)
                .all(|(wanted, got)| wanted.abs_diff(got) < 24)
        })
}

fn sounds(heard: &Heard, frequency: f64) -> bool {
    heard.last.len() >= 9600
        && (heard.level() + 20.0).abs() < 1.5
        && heard.share_at(frequency) > 0.9
}

/// Both see and hear each other.
fn in_call(room: &Room) -> bool {
    [(0, "wall", 660.0), (1, "desk", 440.0)]
        .into_iter()
        .all(|(place, other, frequency)| {
            let party = &room.parties[place];
            party.stream_of(other).is_some_and(|stream| {
                shows(&party.seen.picture(&stream), TestPicture::Camera)
                    && sounds(&party.seen.sound(&stream), frequency)
            })
        })
}

async fn call(codec: VideoCodec) -> Room {
    let mut room = Room::new();
    room.join("desk", settings(440.0, codec));
    room.join("wall", settings(660.0, codec));
    for party in &room.parties {
        party.command(MediaCommand::Microphone { enabled: true });
        party.command(MediaCommand::Camera { enabled: true });
    }
    room.connect(0, 1, None);
    let took = room
        .until("both see and hear each other", TIME, in_call)
        .await;
    eprintln!("{codec:?}: in call after {took:?}");
    if std::env::var_os("ROOMD_TEST_LOG").is_some() {
        let start = room.parties[0].log[0].0;
        for party in &room.parties {
            for (at, event) in &party.log {
                eprintln!(
                    "{} {:?} {}",
                    party.name,
                    at.duration_since(start),
                    support::relay::shortened(event)
                );
            }
        }
    }
    room
}

#[test]
fn picture_and_sound_arrive_both_ways_with_vp8() {
    support::namespace::run(
        "picture_and_sound_arrive_both_ways_with_vp8",
        TIME * 2,
        || async {
            call(VideoCodec::Vp8).await.close().await;
        },
    );
}

#[test]
fn picture_and_sound_arrive_both_ways_with_h264() {
    support::namespace::run(
        "picture_and_sound_arrive_both_ways_with_h264",
        TIME * 2,
        || async {
            call(VideoCodec::H264).await.close().await;
        },
    );
}

fn heard(room: &Room) -> u64 {
    let party = &room.parties[1];
    party
        .stream_of("desk")
        .map_or(0, |stream| party.seen.sound(&stream).samples)
}

fn frames(room: &Room) -> u64 {
    let party = &room.parties[1];
    party
        .stream_of("desk")
        .map_or(0, |stream| party.seen.picture(&stream).frames)
}

/// Open and flowing of each report.
fn steps(reports: &[CaptureReport]) -> Vec<(bool, bool)> {
    reports
        .iter()
        .map(|report| (report.open, report.flowing))
        .collect()
}

#[test]
fn muted_means_no_sample_and_the_gate_closes_before_the_device() {
    support::namespace::run(
        "muted_means_no_sample_and_the_gate_closes_before_the_device",
        TIME * 3,
        || async {
            let mut room = call(VideoCodec::Vp8).await;
            for round in 0..2 {
                let before = room.parties[0].microphone_reports().len();
                room.parties[0].command(MediaCommand::Microphone { enabled: false });
                let took = room
                    .until("the device is closed", TIME, |room| {
                        room.parties[0].microphone_reports().len() >= before + 2
                    })
                    .await;
                assert_eq!(
                    steps(&room.parties[0].microphone_reports()[before..]),
                    [(true, false), (false, false)]
                );
                // What is in the receiver's jitter buffer and decoder still comes out.
                room.during(Duration::from_millis(300)).await;
                let silent = heard(&room);
                let shown = frames(&room);
                room.during(Duration::from_secs(1)).await;
                assert_eq!(heard(&room), silent, "sound arrived while muted");
                assert!(frames(&room) > shown + 5, "the picture stopped");
                let before = room.parties[0].microphone_reports().len();
                room.parties[0].command(MediaCommand::Microphone { enabled: true });
                let back = room
                    .until("the tone is back", TIME, |room| {
                        let party = &room.parties[1];
                        heard(room) > silent + 9600
                            && party
                                .stream_of("desk")
                                .is_some_and(|stream| sounds(&party.seen.sound(&stream), 440.0))
                    })
                    .await;
                assert_eq!(
                    steps(&room.parties[0].microphone_reports()[before..]),
                    [(true, true)]
                );
                eprintln!(
                    "round {round}: device closed after {took:?}, 200 ms of the tone heard after {back:?}"
                );
            }
            assert!(room.parties.iter().all(|party| party.failures.is_empty()));
            room.close().await;
        },
    );
}

#[test]
fn the_camera_goes_off_and_comes_back_on_the_same_stream() {
    support::namespace::run(
        "the_camera_goes_off_and_comes_back_on_the_same_stream",
        TIME * 3,
        || async {
            let mut room = call(VideoCodec::Vp8).await;
            for round in 0..3 {
                let before = room.parties[0].camera_reports().len();
                room.parties[0].command(MediaCommand::Camera { enabled: false });
                room.until("the camera is closed", TIME, |room| {
                    room.parties[0].camera_reports().len() >= before + 2
                })
                .await;
                assert_eq!(
                    steps(&room.parties[0].camera_reports()[before..]),
                    [(true, false), (false, false)]
                );
                room.during(Duration::from_millis(300)).await;
                let still = frames(&room);
                room.during(Duration::from_millis(700)).await;
                assert_eq!(
                    frames(&room),
                    still,
                    "a picture arrived while the camera was off"
                );
                room.parties[0].command(MediaCommand::Camera { enabled: true });
                let back = room
                    .until("the picture is back", TIME, |room| frames(room) > still)
                    .await;
                let party = &room.parties[1];
                assert!(shows(
                    &party.seen.picture(&party.stream_of("desk").unwrap()),
                    TestPicture::Camera
                ));
                eprintln!("round {round}: first picture after {back:?}");
            }
            room.close().await;
        },
    );
}

#[test]
fn a_screen_is_shared_three_times_while_the_camera_goes_on() {
    support::namespace::run(
        "a_screen_is_shared_three_times_while_the_camera_goes_on",
        TIME * 5,
        || async {
            let mut room = call(VideoCodec::Vp8).await;
            let session = 1;
            let wall = room.parties[1].name.clone();
            for round in 0..3 {
                let (start, shown) = (std::time::Instant::now(), frames(&room));
                room.parties[0].command(MediaCommand::StartScreenshare { source: None });
                room.until("captured", TIME, |room| {
                    room.parties[0].shares.last().is_some_and(Option::is_some)
                })
                .await;
                let stream = room.parties[0].shares.last().cloned().flatten().unwrap();
                room.parties[0].command(MediaCommand::SetPresentation {
                    peer: wall.clone(),
                    session,
                    stream: Some(stream.clone()),
                });
                let took = room
                    .until("the presentation is seen", TIME, |room| {
                        shows(
                            &room.parties[1].seen.picture(&stream),
                            TestPicture::Presentation,
                        )
                    })
                    .await;
                let at = room.parties[1].seen.picture(&stream).frames;
                room.during(Duration::from_secs(1)).await;
                let fps = room.parties[1].seen.picture(&stream).frames - at;
                room.parties[0].command(MediaCommand::StopScreenshare);
                room.parties[0].command(MediaCommand::SetPresentation {
                    peer: wall.clone(),
                    session,
                    stream: None,
                });
                room.until("the presentation is gone", TIME, |room| {
                    room.parties[0].shares.last() == Some(&None)
                        && !room.parties[1].streams.keys().any(|(_, id)| *id == stream)
                })
                .await;
                let rate = (frames(&room) - shown) as f64 / start.elapsed().as_secs_f64();
                eprintln!(
                    "share {round}: seen after {took:?}, {fps} fps; camera {rate:.1} fps meanwhile"
                );
                assert!(fps >= 5, "{fps} fps of 15");
                assert!(rate >= 12.0, "camera at {rate} fps of 30");
            }
            assert!(room.parties.iter().all(|party| party.failures.is_empty()));
            assert!(in_call(&room));
            room.close().await;
        },
    );
}

#[test]
fn who_joins_late_gets_the_presentation_with_the_first_offer() {
    support::namespace::run(
        "who_joins_late_gets_the_presentation_with_the_first_offer",
        TIME * 2,
        || async {
            let mut room = Room::new();
            room.join("desk", settings(440.0, VideoCodec::Vp8));
            room.join("wall", settings(660.0, VideoCodec::Vp8));
            for party in &room.parties {
                party.command(MediaCommand::Microphone { enabled: true });
                party.command(MediaCommand::Camera { enabled: true });
            }
            room.parties[0].command(MediaCommand::StartScreenshare {
                source: Some("slides".into()),
            });
            room.until("captured", TIME, |room| {
                room.parties[0].shares.last().is_some_and(Option::is_some)
            })
            .await;
            let stream = room.parties[0].shares.last().cloned().flatten().unwrap();
            room.connect(0, 1, Some(stream.clone()));
            let took = room
                .until("camera and presentation are seen", TIME, |room| {
                    in_call(room)
                        && shows(
                            &room.parties[1].seen.picture(&stream),
                            TestPicture::Presentation,
                        )
                })
                .await;
            eprintln!("all seen after {took:?}");
            room.close().await;
        },
    );
}

#[test]
fn a_peer_that_never_answers_holds_nobody_up() {
    support::namespace::run(
        "a_peer_that_never_answers_holds_nobody_up",
        TIME * 3,
        || async {
            let mut room = call(VideoCodec::Vp8).await;
            let ghost = room.join("ghost", settings(220.0, VideoCodec::Vp8));
            room.silent.push("ghost".into());
            room.connect(0, ghost, None);
            let shown = frames(&room);
            room.during(Duration::from_secs(3)).await;
            let rate = (frames(&room) - shown) as f64 / 3.0;
            eprintln!("{rate:.1} fps beside a peer that never answers");
            assert!(rate >= 12.0, "{rate} fps of 30");
            assert_eq!(room.parties[0].connected.len(), 1);
            room.parties[0].command(MediaCommand::ClosePeer {
                peer: "ghost".into(),
            });
            room.until("it is closed", TIME, |room| {
                room.parties[0].engine.report().connections == 1
            })
            .await;
            assert!(in_call(&room));
            room.close().await;
        },
    );
}

/// Open descriptors and threads of this process.
fn held() -> (usize, usize) {
    let count = |path| std::fs::read_dir(path).unwrap().count();
    (count("/proc/self/fd"), count("/proc/self/task"))
}

#[test]
fn connections_that_are_closed_leave_no_descriptors_and_threads() {
    support::namespace::run(
        "connections_that_are_closed_leave_no_descriptors_and_threads",
        TIME * 6,
        || async {
            let mut room = call(VideoCodec::Vp8).await;
            let mut counts = Vec::new();
            for cycle in 0..20 {
                let session = room.connect(cycle % 2, 1 - cycle % 2, None);
                room.until("connected and receiving again", TIME, |room| {
                    room.parties.iter().all(|party| {
                        party.connected.iter().any(|(_, number)| *number == session)
                            && party.streams.values().any(|tracks| tracks.receiving)
                    })
                })
                .await;
                for (place, other) in [(0, "wall"), (1, "desk")] {
                    room.parties[place].command(MediaCommand::ClosePeer { peer: other.into() });
                    room.parties[place].streams.clear();
                }
                room.until("closed", TIME, |room| {
                    room.parties
                        .iter()
                        .all(|party| party.engine.report().connections == 0)
                })
                .await;
                if cycle >= 4 {
                    // Pipelines stop on threads of their own; what is left after a second is a leak.
                    let mut least = held();
                    for _ in 0..10 {
                        room.during(Duration::from_millis(100)).await;
                        let now = held();
                        least = (least.0.min(now.0), least.1.min(now.1));
                        if counts.first().is_some_and(|first: &(usize, usize)| {
                            least.0 <= first.0 && least.1 <= first.1
                        }) {
                            break;
                        }
                    }
                    counts.push(least);
                }
            }
            eprintln!("descriptors and threads after each cycle: {counts:?}");
            let (first, last) = (counts[0], counts[counts.len() - 1]);
            assert!(last.0 <= first.0 + 4, "descriptors grew: {counts:?}");
            assert!(last.1 <= first.1 + 4, "threads grew: {counts:?}");
            room.close().await;
        },
    );
}

#[test]
fn with_loopback_allowed_no_network_is_needed() {
    support::namespace::run_without_network(
        "with_loopback_allowed_no_network_is_needed",
        TIME * 2,
        || async {
            let mut room = Room::new();
            for (name, frequency) in [("desk", 440.0), ("wall", 660.0)] {
                let settings = MediaSettings {
                    allow_loopback: true,
                    ..settings(frequency, VideoCodec::Vp8)
                };
                let place = room.join(name, settings);
                room.parties[place].command(MediaCommand::Microphone { enabled: true });
                room.parties[place].command(MediaCommand::Camera { enabled: true });
            }
            room.connect(1, 0, None);
            room.until("both see and hear each other", TIME, in_call)
                .await;
            room.close().await;
        },
    );
}

#[test]
fn what_an_alsa_microphone_hears_is_heard_by_the_peer() {
    support::namespace::run(
        "what_an_alsa_microphone_hears_is_heard_by_the_peer",
        TIME * 2,
        || async {
            let mut room = Room::new();
            support::namespace::play_into_microphone();
            let alsa = AudioSource::Alsa("roomd_test_microphone".into());
            room.join(
                "desk",
                MediaSettings {
                    microphone: alsa,
                    ..settings(440.0, VideoCodec::Vp8)
                },
            );
            room.join("wall", settings(660.0, VideoCodec::Vp8));
            for party in &room.parties {
                party.command(MediaCommand::Microphone { enabled: true });
            }
            room.connect(0, 1, None);
            room.until("the file's tone is heard", TIME, |room| {
                let party = &room.parties[1];
                party
                    .stream_of("desk")
                    .is_some_and(|stream| sounds(&party.seen.sound(&stream), 880.0))
            })
            .await;
            assert_eq!(
                room.parties[0].microphone_reports().last().unwrap().device,
                "roomd_test_microphone"
            );
            room.close().await;
        },
    );
}

#[test]
fn a_device_that_is_missing_is_reported_with_its_name_and_does_not_stop_the_rest() {
    support::namespace::run(
        "a_device_that_is_missing_is_reported_with_its_name_and_does_not_stop_the_rest",
        TIME * 2,
        || async {
            let mut room = Room::new();
            let camera = VideoSource::V4l2("/dev/video-not-there".into());
            let microphone = AudioSource::Alsa("no_such_pcm".into());
            room.join(
                "desk",
                MediaSettings {
                    camera,
                    microphone,
                    ..settings(440.0, VideoCodec::Vp8)
                },
            );
            room.join("wall", settings(660.0, VideoCodec::Vp8));
            for party in &room.parties {
                party.command(MediaCommand::Microphone { enabled: true });
                party.command(MediaCommand::Camera { enabled: true });
            }
            room.connect(0, 1, None);
            room.until("both reports and the other's picture", TIME, |room| {
                let desk = &room.parties[0];
                !desk.camera_reports().is_empty()
                    && !desk.microphone_reports().is_empty()
                    && desk.stream_of("wall").is_some_and(|stream| {
                        shows(&desk.seen.picture(&stream), TestPicture::Camera)
                    })
            })
            .await;
            let (camera, microphone) = (
                room.parties[0].camera_reports(),
                room.parties[0].microphone_reports(),
            );
            assert_eq!(
                (camera.len(), microphone.len()),
                (1, 1),
                "{camera:?} {microphone:?}"
            );
            assert!(
                camera[0].device == "/dev/video-not-there"
                    && !camera[0].open
                    && camera[0].error.is_some()
            );
            assert!(
                microphone[0].device == "no_such_pcm"
                    && !microphone[0].open
                    && microphone[0].error.is_some()
            );
            room.close().await;
        },
    );
}

#[test]
fn two_offers_at_once_are_reported_and_a_new_connection_heals_it() {
    support::namespace::run(
        "two_offers_at_once_are_reported_and_a_new_connection_heals_it",
        TIME * 2,
        || async {
            let mut room = call(VideoCodec::Vp8).await;
            for (place, other) in [(0, "wall"), (1, "desk")] {
                let presentation = None;
                room.parties[place].command(MediaCommand::OpenPeer {
                    peer: other.into(),
                    session: 50,
                    offer: true,
                    presentation,
                });
            }
            room.until("the glare is told", TIME, |room| {
                room.parties.iter().any(|party| !party.failures.is_empty())
            })
            .await;
            assert!(
                room.parties
                    .iter()
                    .flat_map(|party| &party.failures)
                    .all(|reason| reason.contains("same time"))
            );
            room.connect(1, 0, None);
            room.until("back in the call", TIME, |room| {
                room.parties[0].connected.len() == 2 && in_call(room)
            })
            .await;
            room.close().await;
        },
    );
}
