//! Microphone and camera, switched off and on, missing and real: what the peer gets of them.

use super::*;

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
        "sources::muted_means_no_sample_and_the_gate_closes_before_the_device",
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
        "sources::the_camera_goes_off_and_comes_back_on_the_same_stream",
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
fn a_smaller_mode_reaches_the_peer_and_opens_no_camera_that_is_off() {
    support::namespace::run(
        "sources::a_smaller_mode_reaches_the_peer_and_opens_no_camera_that_is_off",
        TIME * 3,
        || async {
            let mut room = call(VideoCodec::Vp8).await;
            let size = |room: &Room| {
                let party = &room.parties[1];
                let seen = party.seen.picture(&party.stream_of("desk").unwrap());
                shows(&seen, TestPicture::Camera).then_some((seen.width, seen.height))
            };
            assert_eq!(size(&room), Some((640, 360)));
            let sd = |hd, low_data| {
                MediaCommand::CaptureProfile(CaptureProfile {
                    hd,
                    low_data,
                    widescreen: true,
                })
            };
            let before = room.parties[0].camera_reports().len();
            room.parties[0].command(sd(false, true));
            let took = room
                .until("the peer sees 270 lines", TIME, |room| {
                    size(room) == Some((480, 270))
                })
                .await;
            assert_eq!(
                steps(&room.parties[0].camera_reports()[before..]),
                [(true, true)]
            );
            // The same size by another mode: answered, and nothing is interrupted.
            room.parties[0].command(sd(true, true));
            room.until("the full height is back", TIME, |room| {
                size(room) == Some((640, 360))
            })
            .await;
            let before = room.parties[0].camera_reports().len();
            room.parties[0].command(sd(true, false));
            room.until("a mode of the same size is answered", TIME, |room| {
                room.parties[0].camera_reports().len() > before
            })
            .await;

            let before = room.parties[0].camera_reports().len();
            room.parties[0].command(MediaCommand::Camera { enabled: false });
            room.parties[0].command(sd(false, true));
            room.until("the camera is closed", TIME, |room| {
                room.parties[0].camera_reports().len() >= before + 2
            })
            .await;
            room.during(Duration::from_millis(500)).await;
            assert_eq!(
                steps(&room.parties[0].camera_reports()[before..]),
                [(true, false), (false, false)]
            );
            room.parties[0].command(MediaCommand::Camera { enabled: true });
            room.until("it comes back small", TIME, |room| {
                size(room) == Some((480, 270))
            })
            .await;
            eprintln!("270 lines after {took:?}");
            room.close().await;
        },
    );
}

#[test]
fn what_an_alsa_microphone_hears_is_heard_by_the_peer() {
    support::namespace::run(
        "sources::what_an_alsa_microphone_hears_is_heard_by_the_peer",
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
        "sources::a_device_that_is_missing_is_reported_with_its_name_and_does_not_stop_the_rest",
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
