//! Two engines and a relay: what one captures, the other sees and hears.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    unreachable_pub,
    reason = "tests may panic"
)]

mod peers;
mod plug;
mod sources;
mod support;

use std::time::Duration;

use roomd_media::{
    TestPicture,
    settings::{
        AudioSource, MediaSettings, NamedVideoSource, VideoCodec, VideoCodecs, VideoEncoding,
        VideoSource,
    },
};
use roomd_room::{CaptureProfile, CaptureReport, MediaCommand};
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
