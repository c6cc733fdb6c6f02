//! Peers that come late, go, share their screen or never answer.

use super::*;

#[test]
fn a_screen_is_shared_three_times_while_the_camera_goes_on() {
    support::namespace::run(
        "peers::a_screen_is_shared_three_times_while_the_camera_goes_on",
        TIME * 5,
        || async {
            let mut room = call(VideoCodec::Vp8).await;
            let session = 1;
            let wall = room.parties[1].name.clone();
            for round in 0..3 {
                let (start, shown) = (std::time::Instant::now(), frames(&room));
                room.parties[0].command(MediaCommand::StartScreenshare { source: None });
                // The end of the share before may still be under way.
                room.until("captured", TIME, |room| {
                    room.parties[0].shares.len() == round + 1
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
                    !room.parties[1].streams.keys().any(|(_, id)| *id == stream)
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
fn a_share_that_is_stopped_and_started_at_once_is_captured_again() {
    support::namespace::run(
        "peers::a_share_that_is_stopped_and_started_at_once_is_captured_again",
        TIME * 2,
        || async {
            let mut room = call(VideoCodec::Vp8).await;
            let start = MediaCommand::StartScreenshare { source: None };
            room.parties[0].command(start.clone());
            room.until("captured", TIME, |room| room.parties[0].shares.len() == 1)
                .await;
            for _ in 0..5 {
                room.parties[0].command(MediaCommand::StopScreenshare);
                room.parties[0].command(start.clone());
            }
            room.during(Duration::from_secs(1)).await;
            let shares = &room.parties[0].shares;
            assert!(shares.iter().all(Option::is_some), "{shares:?}");
            assert!(shares.len() >= 2 && shares[0] != shares[1], "{shares:?}");
            room.close().await;
        },
    );
}

#[test]
fn who_joins_late_gets_the_presentation_with_the_first_offer() {
    support::namespace::run(
        "peers::who_joins_late_gets_the_presentation_with_the_first_offer",
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
        "peers::a_peer_that_never_answers_holds_nobody_up",
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
        "peers::connections_that_are_closed_leave_no_descriptors_and_threads",
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
fn two_offers_at_once_are_reported_and_a_new_connection_heals_it() {
    support::namespace::run(
        "peers::two_offers_at_once_are_reported_and_a_new_connection_heals_it",
        TIME * 2,
        || async {
            let mut room = call(VideoCodec::Vp8).await;
            room.cross_offers();
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

#[test]
fn a_display_that_is_lost_and_returns_shows_the_pictures_again_and_the_sound_goes_on() {
    support::namespace::run(
        "peers::a_display_that_is_lost_and_returns_shows_the_pictures_again_and_the_sound_goes_on",
        TIME * 3,
        || async {
            let mut room = call(VideoCodec::Vp8).await;
            let stream = room.parties[0].stream_of("wall").unwrap();
            let seen = room.parties[0].seen.clone();
            let heard_before = seen.sound(&stream).samples;
            seen.lose_display();
            room.until("the loss is told", TIME, |room| {
                let status = room.parties[0].engine.report();
                status.display.is_none()
                    && status
                        .problems
                        .iter()
                        .any(|problem| problem.contains("the plug was pulled"))
            })
            .await;
            room.during(Duration::from_secs(1)).await;
            assert_eq!(seen.picture(&stream).frames, 0);
            seen.put_display_back();
            let took = room
                .until("the picture is back", TIME, |_| {
                    shows(&seen.picture(&stream), TestPicture::Camera)
                })
                .await;
            eprintln!("the picture is back {took:?} after the display");
            let status = room.parties[0].engine.report();
            assert!(status.problems.is_empty(), "{:?}", status.problems);
            let heard = seen.sound(&stream).samples - heard_before;
            assert!(heard >= 48_000, "{heard} samples in more than a second");
            assert!(in_call(&room));
            assert_eq!(room.parties[0].connected.len(), 1, "the connection stayed");
            assert!(room.parties.iter().all(|party| party.failures.is_empty()));
            room.close().await;
        },
    );
}
