//! A camera whose plug is pulled in the middle of a call.

use roomd_protocol::StreamId;

use super::*;
use support::plug;

const BLUE: [u8; 3] = [0, 0, 255];
/// The ground of the picture that is sent in place of the camera's.
const GROUND: [u8; 3] = [26, 26, 26];

fn is_at_the_edge(seen: &Seen, wanted: [u8; 3]) -> bool {
    seen.frames > 0
        && seen
            .colour_at(0.1, 0.1)
            .iter()
            .zip(wanted)
            .all(|(got, wanted)| got.abs_diff(wanted) < 16)
}

/// Two in a call; the desk's camera has a plug.
async fn call_with_a_plug() -> (Room, StreamId) {
    plug::install();
    let mut room = Room::new();
    let camera = VideoSource::V4l2("/dev/room/camera".into());
    room.join(
        "desk",
        MediaSettings {
            camera,
            ..settings(440.0, VideoCodec::Vp8)
        },
    );
    room.join("wall", settings(660.0, VideoCodec::Vp8));
    for party in &room.parties {
        party.command(MediaCommand::Microphone { enabled: true });
        party.command(MediaCommand::Camera { enabled: true });
    }
    room.connect(0, 1, None);
    room.until("the wall sees and hears the desk", TIME, |room| {
        let wall = &room.parties[1];
        wall.stream_of("desk").is_some_and(|stream| {
            is_at_the_edge(&wall.seen.picture(&stream), BLUE)
                && sounds(&wall.seen.sound(&stream), 440.0)
        })
    })
    .await;
    let stream = room.parties[1].stream_of("desk").unwrap();
    (room, stream)
}

#[test]
fn a_camera_that_is_pulled_out_is_replaced_by_a_still_and_comes_back_by_itself() {
    support::namespace::run(
        "plug::a_camera_that_is_pulled_out_is_replaced_by_a_still_and_comes_back_by_itself",
        TIME * 4,
        || async {
            let (mut room, stream) = call_with_a_plug().await;
            let heard = room.parties[1].seen.sound(&stream).samples;
            for round in 0..2 {
                let before = room.parties[0].camera_reports().len();
                plug::pull();
                let still = room
                    .until("the still", TIME, |room| {
                        is_at_the_edge(&room.parties[1].seen.picture(&stream), GROUND)
                    })
                    .await;
                let report = room.parties[0].camera_reports()[before].clone();
                assert!(
                    report.returning && !report.open && !report.flowing,
                    "{report:?}"
                );
                assert!(report.error.unwrap().contains("the device is gone"));
                room.during(Duration::from_secs(2)).await;
                let reports = room.parties[0].camera_reports();
                assert!(
                    reports[before..].iter().all(|report| report.returning),
                    "{reports:?}"
                );
                plug::put_back();
                let back = room
                    .until("the camera", TIME, |room| {
                        is_at_the_edge(&room.parties[1].seen.picture(&stream), BLUE)
                    })
                    .await;
                let report = room.parties[0].camera_reports().pop().unwrap();
                assert!(
                    report.open && report.flowing && report.error.is_none(),
                    "{report:?}"
                );
                eprintln!(
                    "round {round}: the still after {still:?}, the camera back after {back:?}"
                );
            }
            let heard = room.parties[1].seen.sound(&stream).samples - heard;
            assert!(
                heard >= 4 * 48_000,
                "{heard} samples in more than four seconds"
            );
            assert!(room.parties.iter().all(|party| party.failures.is_empty()));
            assert_eq!(room.parties[1].stream_of("desk"), Some(stream));
            room.close().await;
        },
    );
}

#[test]
fn a_camera_that_is_switched_off_while_it_is_gone_stays_off_when_it_is_back() {
    support::namespace::run(
        "plug::a_camera_that_is_switched_off_while_it_is_gone_stays_off_when_it_is_back",
        TIME * 3,
        || async {
            let (mut room, stream) = call_with_a_plug().await;
            plug::pull();
            room.until("the still", TIME, |room| {
                is_at_the_edge(&room.parties[1].seen.picture(&stream), GROUND)
            })
            .await;
            room.parties[0].command(MediaCommand::Camera { enabled: false });
            room.until("it is off", TIME, |room| {
                let report = room.parties[0].camera_reports().pop().unwrap();
                !report.open && !report.flowing && report.error.is_none()
            })
            .await;
            room.during(Duration::from_millis(300)).await;
            plug::put_back();
            let before = (frames(&room), room.parties[0].camera_reports().len());
            // Looks are a second apart at most.
            room.during(Duration::from_millis(2500)).await;
            let after = (frames(&room), room.parties[0].camera_reports().len());
            assert_eq!(before, after, "pictures and reports while it is off");
            room.parties[0].command(MediaCommand::Camera { enabled: true });
            room.until("the camera", TIME, |room| {
                is_at_the_edge(&room.parties[1].seen.picture(&stream), BLUE)
            })
            .await;
            room.close().await;
        },
    );
}
