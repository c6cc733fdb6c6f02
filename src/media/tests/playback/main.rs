//! The display under a real X server and the speaker on a real ALSA PCM, judged by what comes out of them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

mod child;
mod feed;
mod recording;
mod returning;
mod screenshot;
mod timeline;

use std::time::Duration;

use child::{under_alsa, under_x};
use feed::{Colour, PictureFeed, ToneFeed};
use gstreamer as gst;
use recording::Recording;
use roomd_media::{
    playback::{Display, PlaybackError, Speaker, input_latency, layout},
    scene::{Scene, Tile},
    settings::{AudioSink, DisplaySink, LatencyMs},
};
use roomd_protocol::{ClientId, StreamId};
use screenshot::wait_for;
use timeline::{SCREEN, Timeline};

const RED: Colour = (200, 40, 40);
const GREEN: Colour = (30, 160, 60);
const BLUE: Colour = (40, 60, 200);

fn tile(peer: &str, label: &str) -> Tile {
    Tile {
        peer: ClientId::from(peer),
        stream: Some(StreamId::from("0")),
        label: label.to_owned(),
        video_off: false,
        presentation: false,
    }
}

fn scene(tiles: Vec<Tile>) -> Scene {
    Scene {
        title: "Boardroom".to_owned(),
        message: None,
        notice: None,
        status: "Microphone off".to_owned(),
        tiles,
    }
}

fn open(timeline: &Timeline) -> Display {
    Display::open(
        &DisplaySink::Auto,
        SCREEN,
        &timeline.clock,
        timeline.base_time,
        input_latency(LatencyMs::default()),
    )
    .unwrap()
    .unwrap()
}

#[test]
fn two_pictures_stand_side_by_side_and_go_on_when_the_other_stalls_or_leaves() {
    under_x(
        "two_pictures_stand_side_by_side_and_go_on_when_the_other_stalls_or_leaves",
        async || {
            let timeline = Timeline::long_ago();
            let mut display = open(&timeline);
            assert_eq!(display.name(), "ximagesink");
            let (anna, bo, camera) = (
                ClientId::from("anna"),
                ClientId::from("bo"),
                StreamId::from("0"),
            );
            display.show(&scene(vec![tile("anna", "Anna"), tile("bo", "Bo · muted")]));
            let red = PictureFeed::start(
                &timeline,
                display.video_input(&anna, &camera).unwrap(),
                (640, 360),
                RED,
            );
            let green = PictureFeed::start(
                &timeline,
                display.video_input(&bo, &camera).unwrap(),
                (1280, 720),
                GREEN,
            );

            let places = layout::arrange(SCREEN, 0, 2);
            wait_for("both pictures with their names, title and status", |shot| {
                shot.is_near(places[0], RED)
                    && shot.is_near(places[1], GREEN)
                    && shot.has_text_at(shot.label_of(places[0]))
                    && shot.has_text_at(shot.label_of(places[1]))
                    && shot.has_text_at(shot.title())
                    && shot.has_text_at(shot.status())
                    && shot.black_share() < 0.01
            });

            red.stall();
            green.set_colour(BLUE);
            wait_for("the picture beside a stalled one going on", |shot| {
                shot.is_near(places[0], RED) && shot.is_near(places[1], BLUE)
            });
            red.set_colour(BLUE);
            red.resume();
            wait_for("the stalled picture again", |shot| {
                shot.is_near(places[0], BLUE)
            });

            let frames = green.frames();
            display.remove_input(&anna, &camera);
            display.show(&scene(vec![tile("bo", "Bo")]));
            green.set_colour(GREEN);
            let places = layout::arrange(SCREEN, 0, 1);
            wait_for("one large picture", |shot| {
                shot.is_near(places[0], GREEN)
                    && shot.is_near(shot.at(places[0], 0.1, 0.5), GREEN)
                    && shot.black_share() < 0.01
            });
            assert!(green.frames() > frames);
            no_errors(&mut display).await;
            drop((red, green));
            display.close().await;
        },
    );
}

#[test]
fn a_presentation_is_large_and_a_camera_that_is_off_shows_the_name() {
    under_x(
        "a_presentation_is_large_and_a_camera_that_is_off_shows_the_name",
        async || {
            let timeline = Timeline::long_ago();
            let mut display = open(&timeline);
            let (anna, share) = (ClientId::from("anna"), StreamId::from("share-1"));
            let off = Tile {
                video_off: true,
                ..tile("bo", "Bo")
            };
            let shared = Tile {
                stream: Some(share.clone()),
                presentation: true,
                ..tile("anna", "Anna's screen")
            };
            display.show(&scene(vec![off, shared]));
            let feed = PictureFeed::start(
                &timeline,
                display.video_input(&anna, &share).unwrap(),
                (800, 600),
                RED,
            );
            let places = layout::arrange(SCREEN, 1, 1);
            let shot = wait_for("the presentation and the card", |shot| {
                shot.is_near(places[0], RED) && shot.has_text_at(shot.inner(places[1]))
            });
            assert!(
                !shot.is_near(shot.at(places[1], 0.1, 0.1), (0, 0, 0)),
                "the card is black"
            );

            // 4:3 in 16:9: the sides are free, the middle is red from top to bottom.
            assert!(shot.is_near(shot.at(places[0], 0.2, 0.1), RED));
            assert!(!shot.is_near(shot.at(places[0], 0.04, 0.5), RED));
            no_errors(&mut display).await;
            drop(feed);
            display.close().await;
        },
    );
}

#[test]
fn without_pictures_the_message_stands_large_on_a_screen_that_is_not_black() {
    under_x(
        "without_pictures_the_message_stands_large_on_a_screen_that_is_not_black",
        async || {
            let timeline = Timeline::long_ago();
            let mut display = open(&timeline);
            let middle = layout::Rect {
                x: 200,
                y: 260,
                width: 880,
                height: 200,
            };
            // A screenshot may show a picture that X has drawn in part.
            wait_for("something before any scene", |shot| {
                shot.has_text_at(middle) && shot.black_share() < 0.01
            });

            let mut waiting = scene(Vec::new());
            waiting.message =
                Some("Waiting for the host to let this room in <now> & then".to_owned());
            display.show(&waiting);
            wait_for("title and message", |shot| {
                shot.has_text_at(shot.title())
                    && shot.has_text_at(middle)
                    && shot.black_share() < 0.01
            });

            // A message matters more than the pictures: they step back.
            let (anna, camera) = (ClientId::from("anna"), StreamId::from("0"));
            let feed = PictureFeed::start(
                &timeline,
                display.video_input(&anna, &camera).unwrap(),
                (640, 360),
                GREEN,
            );
            let place = layout::arrange(SCREEN, 0, 1)[0];
            display.show(&scene(vec![tile("anna", "Anna")]));
            wait_for("the picture", |shot| shot.is_near(place, GREEN));
            display.show(&Scene {
                message: Some("Reconnecting".to_owned()),
                ..scene(vec![tile("anna", "Anna")])
            });
            wait_for("the message above the dimmed picture", |shot| {
                shot.has_text_at(middle) && !shot.is_near(shot.at(place, 0.1, 0.2), GREEN)
            });
            display.show(&Scene {
                notice: Some("Anna asks you to unmute\nUnmute to accept".to_owned()),
                ..scene(vec![tile("anna", "Anna")])
            });
            wait_for("the notice above a picture that goes on", |shot| {
                shot.has_text_at(shot.notice())
                    && !shot.has_text_at(middle)
                    && shot.is_near(shot.at(place, 0.1, 0.8), GREEN)
            });
            display.show(&scene(vec![tile("anna", "Anna")]));
            wait_for("the picture without a notice", |shot| {
                !shot.has_text_at(shot.notice()) && shot.is_near(place, GREEN)
            });
            no_errors(&mut display).await;
            drop(feed);
            display.close().await;
        },
    );
}

#[test]
fn inputs_come_and_go_without_an_error_and_without_a_gap_in_the_others() {
    under_x(
        "inputs_come_and_go_without_an_error_and_without_a_gap_in_the_others",
        async || {
            let timeline = Timeline::long_ago();
            let mut display = open(&timeline);
            let (anna, camera) = (ClientId::from("anna"), StreamId::from("0"));
            display.show(&scene(vec![tile("anna", "Anna")]));
            let stays = PictureFeed::start(
                &timeline,
                display.video_input(&anna, &camera).unwrap(),
                (640, 360),
                RED,
            );
            let mut threads = 0;
            for round in 0..20 {
                let guest = ClientId::from(format!("guest-{round}"));
                let source = display.video_input(&guest, &camera).unwrap();
                let feed = PictureFeed::start(&timeline, source, (320, 240), GREEN);
                display.show(&scene(vec![
                    tile("anna", "Anna"),
                    tile(guest.as_str(), "Guest"),
                ]));
                feed.wait_for_frames(5);
                display.remove_input(&guest, &camera);
                display.show(&scene(vec![tile("anna", "Anna")]));
                drop(feed);
                if round == 4 {
                    threads = timeline::threads(); // GStreamer's own pool is filled now.
                }
            }
            stays.set_colour(BLUE);
            let place = layout::arrange(SCREEN, 0, 1)[0];
            wait_for("the picture that stayed", |shot| shot.is_near(place, BLUE));
            assert!(
                timeline::threads() <= threads + 4,
                "{} threads, {threads} before",
                timeline::threads()
            );
            no_errors(&mut display).await;
            drop(stays);
            display.close().await;
        },
    );
}

#[test]
fn an_input_that_fails_says_whose_it_is_and_the_others_go_on() {
    under_x(
        "an_input_that_fails_says_whose_it_is_and_the_others_go_on",
        async || {
            let timeline = Timeline::long_ago();
            let mut display = open(&timeline);
            let (anna, bo, camera) = (
                ClientId::from("anna"),
                ClientId::from("bo"),
                StreamId::from("0"),
            );
            display.show(&scene(vec![tile("anna", "Anna"), tile("bo", "Bo")]));
            let places = layout::arrange(SCREEN, 0, 2);
            let source = display.video_input(&anna, &camera).unwrap();
            let stays = PictureFeed::start(&timeline, source, (640, 360), RED);
            wait_for("Anna", |shot| shot.is_near(places[0], RED));
            for _ in 0..2 {
                // Sound where a picture is expected: no caps to agree on.
                let source = display.video_input(&bo, &camera).unwrap();
                let sound = gst::Caps::new_empty_simple("audio/x-raw");
                let sample = gst::Sample::builder()
                    .buffer(&gst::Buffer::from_slice([0; 4]))
                    .caps(&sound)
                    .build();
                // While an element is about to agree on its caps, a buffer may be dropped without an error.
                let mut tries = 0;
                let error = loop {
                    let _ = source.push_sample(&sample); // Refused once it has failed.
                    let error = display.next_error();
                    match tokio::time::timeout(Duration::from_millis(100), error).await {
                        Ok(error) => break error,
                        Err(_) => tries += 1,
                    }
                    assert!(tries < 100, "the input does not fail");
                };
                let PlaybackError::Input { peer, stream, .. } = error else {
                    panic!("{error}")
                };
                assert_eq!((&peer, &stream), (&bo, &camera));
                display.remove_input(&peer, &stream);
            }
            stays.set_colour(BLUE);
            let source = display.video_input(&bo, &camera).unwrap();
            let again = PictureFeed::start(&timeline, source, (320, 240), GREEN);
            display.show(&scene(vec![tile("anna", "Anna"), tile("bo", "Bo again")]));
            wait_for("both", |shot| {
                shot.is_near(places[0], BLUE) && shot.is_near(places[1], GREEN)
            });
            no_errors(&mut display).await;
            drop((stays, again));
            display.close().await;
        },
    );
}

#[test]
fn a_display_that_is_not_there_is_an_error_with_a_remedy_or_none_at_all() {
    let timeline = Timeline::long_ago();
    let open = |wanted| {
        Display::open(
            &wanted,
            SCREEN,
            &timeline.clock,
            timeline.base_time,
            input_latency(LatencyMs::default()),
        )
    };
    assert!(matches!(open(DisplaySink::None), Ok(None)));
    let Err(error) = open(DisplaySink::Wayland) else {
        panic!("a Wayland compositor runs here")
    };
    assert!(matches!(error, PlaybackError::Unusable { .. }), "{error:?}");
    assert!(error.to_string().contains("WAYLAND_DISPLAY"), "{error}");
    let error = Speaker::open(
        &AudioSink::Alsa("nosuch".to_owned()),
        &timeline.clock,
        timeline.base_time,
        input_latency(LatencyMs::default()),
    )
    .err()
    .unwrap();
    assert!(
        error.to_string().contains("nosuch") && error.to_string().contains("aplay -L"),
        "{error}"
    );
}

#[test]
fn two_tones_are_mixed_and_volume_and_mute_are_heard() {
    under_alsa(
        "two_tones_are_mixed_and_volume_and_mute_are_heard",
        async |server| {
            let timeline = Timeline::long_ago();
            let mut speaker = Speaker::open(
                &AudioSink::Auto,
                &timeline.clock,
                timeline.base_time,
                input_latency(LatencyMs::default()),
            )
            .unwrap()
            .unwrap();
            assert_eq!(speaker.name(), "alsasink default");
            let (anna, bo, camera) = (
                ClientId::from("anna"),
                ClientId::from("bo"),
                StreamId::from("0"),
            );
            let recording = Recording::of(&server);
            let low = ToneFeed::start(
                &timeline,
                speaker.audio_input(&anna, &camera).unwrap(),
                440.0,
            );
            let high = ToneFeed::start(
                &timeline,
                speaker.audio_input(&bo, &camera).unwrap(),
                1320.0,
            );

            // Level of each tone: an eighth of full scale.
            const FULL: f64 = -18.06;
            let full = recording.wait_for("both tones", |sound| {
                (sound.level(440.0) - FULL).abs() < 0.3 && (sound.level(1320.0) - FULL).abs() < 0.3
            });
            assert!(
                full.level(880.0) < -50.0,
                "{} dBFS where nothing plays",
                full.level(880.0)
            );

            // Cubic: 50 is 0.5³ of the amplitude, −18.06 dB.
            speaker.set_volume(50);
            recording.wait_for("half the volume", |sound| {
                (sound.level(440.0) - (FULL - 18.06)).abs() < 0.5
            });
            speaker.set_muted(true);
            recording.wait_for("silence", |sound| sound.peak() == 0.0);
            speaker.set_muted(false);
            speaker.set_volume(100);

            speaker.remove_input(&anna, &camera);
            recording.wait_for("one tone alone", |sound| {
                sound.level(440.0) < -60.0 && sound.level(1320.0) > -25.0
            });
            let error = tokio::time::timeout(Duration::from_millis(10), speaker.next_error()).await;
            assert!(error.is_err(), "{error:?}");
            drop((low, high));
            speaker.close().await;
        },
    );
}

/// Nothing is waiting in the display's errors.
async fn no_errors(display: &mut Display) {
    let error = tokio::time::timeout(Duration::from_millis(10), display.next_error()).await;
    assert!(error.is_err(), "{error:?}");
}
