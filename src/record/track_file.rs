//! One file of a recording while it is written: what one participant sends, or one screenshare.
//!
//! What was written can be played at any moment, see [`super::matroska`].

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::Path,
    time::Duration,
};

use jiff::Timestamp;
use roomd_media::{Codec, CodedFrame};

use super::matroska::{self, Block, CLUSTER_REACH, Cue, Description, End, HEADER_BYTES, Track};

/// A cluster is written when it is this long, so no more than this is lost with the program.
const CLUSTER_LENGTH: u64 = 1000;
/// Or this large, in bytes.
const CLUSTER_BYTES: usize = 1024 * 1024;
/// How far a stream's time may lie before the file's beginning and still mean it.
const FRAME: Duration = Duration::from_millis(20);

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is in the file, or will be within a second.
    Kept,
    /// It is of no use without the key frame that it builds on.
    NeedsKeyFrame,
    /// The file cannot take it: it holds pictures of another codec.
    OtherCodec,
}

/// A file that grows.
#[derive(Debug)]
pub(super) struct TrackFile {
    file: File,
    title: String,
    started: Timestamp,
    /// Time of the first frame on the engine's clock.
    begins: Duration,
    /// Time of the last one after it.
    lasts: Duration,
    tracks: Vec<Track>,
    awaits_key_frame: bool,
    blocks: Vec<Block>,
    block_bytes: usize,
    cues: Vec<Cue>,
    length: u64,
}

impl TrackFile {
    /// A new file of mode 0600 that begins with `first`.
    ///
    /// # Errors
    /// There is such a file already, or the disk refuses.
    pub(super) fn create(
        path: &Path,
        title: &str,
        started: Timestamp,
        first: &CodedFrame,
    ) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let mut file = Self {
            file,
            title: title.to_owned(),
            started,
            begins: first.at,
            lasts: Duration::ZERO,
            tracks: Vec::new(),
            awaits_key_frame: true,
            blocks: Vec::new(),
            block_bytes: 0,
            cues: Vec::new(),
            length: HEADER_BYTES as u64,
        };
        file.write_header(None)?;
        Ok(file)
    }

    /// Takes a frame.
    ///
    /// # Errors
    /// The disk refuses.
    pub(super) fn take(&mut self, frame: &CodedFrame) -> io::Result<Taken> {
        let Some(number) = self.track_of(frame)? else {
            return Ok(Taken::OtherCodec);
        };
        if frame.codec.is_video() {
            if self.awaits_key_frame && !frame.is_key {
                return Ok(Taken::NeedsKeyFrame);
            }
            self.awaits_key_frame = false;
        }
        let after = frame.at.saturating_sub(self.begins);
        self.lasts = self.lasts.max(after + FRAME);
        let at = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        if let Some(first) = self.blocks.first()
            && (at.abs_diff(first.at) >= CLUSTER_LENGTH.min(CLUSTER_REACH)
                || self.block_bytes >= CLUSTER_BYTES)
        {
            self.flush()?;
        }
        self.block_bytes += frame.data.len();
        self.blocks.push(Block {
            track: number,
            at,
            is_key: frame.is_key,
            data: frame.data.clone(),
        });
        Ok(Taken::Kept)
    }

    /// Frames were left out: pictures go on with a key frame.
    pub(super) fn skipped(&mut self) {
        self.awaits_key_frame = true;
    }

    /// Writes what has waited for the end of its cluster.
    ///
    /// # Errors
    /// The disk refuses.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.blocks.is_empty() {
            return Ok(());
        }
        let is_video = |track: u8| {
            let track = self.tracks.get(usize::from(track) - 1);
            track.is_some_and(|track| track.codec.is_video())
        };
        let has_video = self.tracks.iter().any(|track| track.codec.is_video());
        let jump = |block: &&Block| block.is_key && (is_video(block.track) || !has_video);
        if let Some(block) = self.blocks.iter().find(jump) {
            self.cues.push(Cue {
                at: block.at,
                track: block.track,
                cluster: self.length,
            });
        }
        self.append(&matroska::cluster(&self.blocks))?;
        self.blocks.clear();
        self.block_bytes = 0;
        Ok(())
    }

    /// Completes the file and waits until the disk has it.
    ///
    /// # Errors
    /// The disk refuses; what was written before can still be played.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        let cues = self.length;
        self.append(&matroska::cues(&self.cues))?;
        self.write_header(Some(End {
            duration: self.lasts,
            cues,
            length: self.length,
        }))?;
        self.file.sync_all()
    }

    /// Bytes of the file so far, without those that wait.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of the file so far, with those that wait.
    pub(super) fn size(&self) -> u64 {
        const BLOCK_HEAD: usize = 12;
        let waiting = self.block_bytes + self.blocks.len() * BLOCK_HEAD;
        self.length + waiting as u64
    }

    /// From the first frame to the last.
    pub(super) fn duration(&self) -> Duration {
        self.lasts
    }

    /// What it is coded with.
    pub(super) fn codecs(&self) -> Vec<Codec> {
        self.tracks.iter().map(|track| track.codec).collect()
    }

    /// The number of the frame's track, which is added when it is the first of its kind.
    fn track_of(&mut self, frame: &CodedFrame) -> io::Result<Option<u8>> {
        let same_kind = |track: &Track| track.codec.is_video() == frame.codec.is_video();
        let place = match self.tracks.iter().position(same_kind) {
            Some(place) if self.tracks[place].codec != frame.codec => return Ok(None),
            Some(place) => place,
            // Its size and configuration come with a key frame.
            None if !frame.is_key => return Ok(Some(0)),
            None => {
                self.tracks.push(Track {
                    codec: frame.codec,
                    format: (*frame.format).clone(),
                });
                self.write_header(None)?;
                self.tracks.len() - 1
            }
        };
        Ok(u8::try_from(place + 1).ok())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.length)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    fn write_header(&mut self, end: Option<End>) -> io::Result<()> {
        let header = matroska::header(&Description {
            title: &self.title,
            started: self.started,
            tracks: &self.tracks,
            end,
        });
        self.file.write_all_at(&header, 0)
    }
}
