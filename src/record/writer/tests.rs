//! Which file gets which frame, and when a recording ends.

use std::{os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc};

use bytes::Bytes;
use roomd_media::{Codec, CodedFormat};

use super::{super::quota::Limits, *};

/// A recording whose room and frames the test makes up. The frames hold no pictures: what is asked here
/// is which file gets them.
struct Desk {
    _directory: tempfile::TempDir,
    writer: Writer,
    wishes: mpsc::UnboundedReceiver<ClientId>,
}

fn desk(quota: u64) -> Desk {
    let directory = tempfile::tempdir().unwrap();
    let storage = Storage {
        directory: directory.path().join("recordings"),
        limits: Limits {
            quota,
            keep_free: 0,
            retention: None,
        },
    };
    let (wish, wishes) = mpsc::unbounded_channel();
    let writer = Writer::create(storage, "stand-up", wish).unwrap();
    Desk {
        _directory: directory,
        writer,
        wishes,
    }
}

fn person(id: &str, screenshare: Option<&str>) -> Person {
    Person {
        id: id.into(),
        display_name: format!("{id}/../x"),
        role_name: RoleName::Visitor,
        camera: Some("camera".into()),
        screenshare: screenshare.map(Into::into),
    }
}

fn room(people: &[Person]) -> Roster {
    Roster {
        may_record: true,
        people: people.to_vec(),
    }
}

fn frame(peer: &str, stream: &str, codec: Codec, ms: u64, is_key: bool) -> CodedFrame {
    CodedFrame {
        peer: peer.into(),
        stream: stream.into(),
        codec,
        at: Duration::from_millis(ms),
        is_key,
        format: Arc::new(CodedFormat {
            width: 320,
            height: 180,
            ..CodedFormat::default()
        }),
        data: Bytes::from(vec![0x5a; 1000]),
    }
}

impl Desk {
    fn hear(&mut self, peer: &str, stream: &str, codec: Codec, ms: u64, is_key: bool) {
        let frame = frame(peer, stream, codec, ms, is_key);
        self.writer.hear(frame).unwrap();
    }

    /// The folder's path and what its index says at the end.
    fn finish(self) -> (tempfile::TempDir, PathBuf, Index) {
        let folder = self.writer.folder.path.clone();
        self.writer.finish(None).unwrap();
        let index = Index::read(&folder).unwrap();
        (self._directory, folder, index)
    }
}

#[test]
fn camera_and_screenshare_of_each_have_files_of_their_own_that_nobody_else_reads() {
    let mut desk = desk(100_000_000);
    desk.writer
        .follow(room(&[
            person("anna", Some("screen")),
            person("bert", None),
        ]))
        .unwrap();
    for ms in [0, 20, 1500] {
        desk.hear("anna", "camera", Codec::Opus, ms, true);
        desk.hear("anna", "camera", Codec::Vp8, ms, true);
        desk.hear("anna", "screen", Codec::Vp8, ms + 100, true);
        desk.hear("bert", "camera", Codec::Opus, ms + 200, true);
    }
    let (_directory, folder, index) = desk.finish();
    let told: Vec<_> = index
        .files
        .iter()
        .map(|file| {
            (
                file.file.as_str(),
                file.kind,
                file.offset_ms,
                file.codecs.len(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("01-anna-x.mkv", Kind::Camera, 0, 2),
            ("02-anna-x-screenshare.mkv", Kind::Screenshare, 100, 1),
            ("03-bert-x.mkv", Kind::Camera, 200, 1),
        ]
    );
    assert_eq!(index.state, State::Finished);
    assert!(index.participants.iter().all(|stay| stay.left_at.is_some()));
    for file in &index.files {
        let found = std::fs::metadata(folder.join(&file.file)).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o600);
        assert_eq!(Some(found.len()), file.bytes);
        assert_eq!(file.duration_ms, Some(1520));
    }
}

#[test]
fn whoever_comes_back_and_whoever_changes_the_codec_gets_a_new_file() {
    let mut desk = desk(100_000_000);
    let anna = [person("anna", None)];
    desk.writer.follow(room(&anna)).unwrap();
    desk.hear("anna", "camera", Codec::Vp8, 0, true);
    desk.writer.follow(room(&[])).unwrap();
    desk.writer.follow(room(&anna)).unwrap();
    desk.hear("anna", "camera", Codec::Vp8, 100, true);
    desk.hear("anna", "camera", Codec::H264, 200, false);
    desk.hear("anna", "camera", Codec::H264, 300, true);
    let (_directory, _, index) = desk.finish();
    let codecs: Vec<_> = index.files.iter().map(|file| file.codecs.clone()).collect();
    assert_eq!(codecs, [[Codec::Vp8], [Codec::Vp8], [Codec::H264]]);
    assert_eq!(index.participants.len(), 2);
}

#[test]
fn nothing_is_kept_while_the_room_is_not_told_that_it_is_recorded() {
    let mut desk = desk(100_000_000);
    desk.hear("anna", "camera", Codec::Opus, 0, true);
    let anna = room(&[person("anna", None)]);
    desk.writer.follow(anna.clone()).unwrap();
    assert!(desk.writer.open.is_empty() && desk.writer.strangers.is_empty());
    desk.hear("anna", "camera", Codec::Vp8, 100, true);
    let away = Roster {
        may_record: false,
        ..anna.clone()
    };
    desk.writer.follow(away).unwrap();
    desk.hear("anna", "camera", Codec::Vp8, 5000, false);
    desk.writer.follow(anna).unwrap();
    desk.hear("anna", "camera", Codec::Vp8, 9000, false);
    assert_eq!(desk.wishes.try_recv().unwrap(), "anna".into());
    let (_directory, _, index) = desk.finish();
    assert_eq!(index.files[0].duration_ms, Some(20));
}

#[test]
fn a_recorder_that_never_came_into_the_room_leaves_nothing_behind() {
    let desk = desk(100_000_000);
    let directory = desk.writer.storage.directory.clone();
    desk.writer.finish(None).unwrap();
    assert_eq!(fs::read_dir(directory).unwrap().count(), 0);
}

#[test]
fn frames_that_come_before_the_room_knows_their_stream_are_kept_for_it() {
    let mut desk = desk(100_000_000);
    desk.writer.follow(room(&[])).unwrap();
    desk.hear("anna", "camera", Codec::Opus, 40, true);
    assert!(desk.writer.open.is_empty());
    desk.writer.follow(room(&[person("anna", None)])).unwrap();
    let (_directory, _, index) = desk.finish();
    assert_eq!(index.files.len(), 1);
}

#[test]
fn a_recording_that_would_break_the_quota_ends_with_whole_files_and_says_why() {
    let mut desk = desk(60_000);
    desk.writer.follow(room(&[person("anna", None)])).unwrap();
    let error = (0..1000)
        .find_map(|n| {
            desk.writer
                .hear(frame("anna", "camera", Codec::Opus, n * 100, true))
                .err()
        })
        .unwrap();
    assert!(matches!(error, WriteError::Full(_)), "{error}");
    let (folder, storage) = (desk.writer.folder.path.clone(), desk.writer.storage.clone());
    desk.writer.finish(Some(&error)).unwrap();
    let index = Index::read(&folder).unwrap();
    assert_eq!(index.state, State::Failed);
    assert!(index.error.unwrap().contains("recording.quota_megabytes"));
    let length = std::fs::metadata(folder.join(&index.files[0].file))
        .unwrap()
        .len();
    assert!(length < 61_000, "{length}");
    let (wish, _wishes) = mpsc::unbounded_channel();
    // The failed one gives way to the next.
    Writer::create(storage, "again", wish).unwrap();
}
