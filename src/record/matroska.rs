//! Matroska (RFC 9559, RFC 8794) as recordings need it: bytes out, no I/O.
//!
//! GStreamer's own muxer waits until every track has something, so a muted microphone would stop the
//! picture (docs/decisions/0007-own-matroska-writer.md). Here the description of the tracks has a fixed
//! place at the beginning and is written anew when one comes, and every cluster is whole in itself: what
//! was written can be played at any moment, whatever happens to the program.

use std::time::Duration;

use jiff::Timestamp;
use roomd_media::{Codec, CodedFormat};

/// Bytes from the beginning of the file to its first cluster: the place of [`header`].
pub(super) const HEADER_BYTES: usize = 4096;

/// Where positions in the file count from: the end of the head of `Segment`.
const SEGMENT_BEGINS: usize = EBML_HEAD + 4 + 8;
/// Size of the EBML head below.
const EBML_HEAD: usize = 40;
/// Head of a `Void` element with its size in eight bytes.
const VOID_HEAD: usize = 9;
/// Longest title in bytes, so that the header fits its place.
const TITLE_LIMIT: usize = 512;
/// Longest `CodecPrivate` in bytes, for the same reason.
const PRIVATE_LIMIT: usize = 1024;

/// A track of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Track {
    pub(super) codec: Codec,
    pub(super) format: CodedFormat,
}

/// What is known of a file by now.
#[derive(Clone, Debug)]
pub(super) struct Description<'a> {
    pub(super) title: &'a str,
    pub(super) started: Timestamp,
    /// In the order of their numbers, from 1.
    pub(super) tracks: &'a [Track],
    /// What is known once the file is complete.
    pub(super) end: Option<End>,
}

/// The end of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) duration: Duration,
    /// Position of the cues in the file.
    pub(super) cues: u64,
    /// Length of the file.
    pub(super) length: u64,
}

/// One frame in a cluster.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// Number of the track, from 1.
    pub(super) track: u8,
    /// Milliseconds after the beginning of the file.
    pub(super) at: u64,
    pub(super) is_key: bool,
    pub(super) data: bytes::Bytes,
}

/// A place to which a player may jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cue {
    /// Milliseconds after the beginning of the file.
    pub(super) at: u64,
    pub(super) track: u8,
    /// Position of the cluster in the file.
    pub(super) cluster: u64,
}

/// The first [`HEADER_BYTES`] of a file.
pub(super) fn header(description: &Description<'_>) -> Vec<u8> {
    let end = description.end.as_ref();
    let mut bytes = element(
        id::EBML,
        &[
            unsigned(id::EBML_VERSION, 1),
            unsigned(id::EBML_READ_VERSION, 1),
            unsigned(id::EBML_MAX_ID_LENGTH, 4),
            unsigned(id::EBML_MAX_SIZE_LENGTH, 8),
            element(id::DOC_TYPE, b"matroska"),
            unsigned(id::DOC_TYPE_VERSION, 4),
            unsigned(id::DOC_TYPE_READ_VERSION, 2),
        ]
        .concat(),
    );
    debug_assert_eq!(bytes.len(), EBML_HEAD);
    bytes.extend(id::SEGMENT.to_be_bytes());
    // Unknown (all ones) for as long as it grows.
    let size = end.map_or(u64::MAX, |end| end.length - SEGMENT_BEGINS as u64);
    bytes.extend(((1 << 56) | (size & 0x00ff_ffff_ffff_ffff)).to_be_bytes());
    if let Some(end) = end {
        let seek = [
            element(id::SEEK_ID, &id::CUES.to_be_bytes()),
            unsigned(id::SEEK_POSITION, end.cues - SEGMENT_BEGINS as u64),
        ];
        bytes.extend(element(id::SEEK_HEAD, &element(id::SEEK, &seek.concat())));
    }
    bytes.extend(info(description));
    let tracks = (1_u8..).zip(description.tracks);
    let tracks: Vec<u8> = tracks
        .flat_map(|(number, track)| entry(number, track))
        .collect();
    bytes.extend(element(id::TRACKS, &tracks));
    let rest = HEADER_BYTES.saturating_sub(bytes.len() + VOID_HEAD);
    bytes.push(id::VOID);
    bytes.extend(((1 << 56) | rest as u64).to_be_bytes());
    bytes.resize(bytes.len() + rest, 0);
    bytes
}

fn info(description: &Description<'_>) -> Vec<u8> {
    let mut title = description.title;
    while title.len() > TITLE_LIMIT {
        title = &title[..title.floor_char_boundary(title.len() - 1)];
    }
    let program = concat!("roomd ", env!("CARGO_PKG_VERSION")).as_bytes();
    let mut body = [
        unsigned(id::TIMESTAMP_SCALE, 1_000_000),
        element(id::MUXING_APP, program),
        element(id::WRITING_APP, program),
        element(id::TITLE, title.as_bytes()),
        element(id::DATE_UTC, &date(description.started).to_be_bytes()),
    ]
    .concat();
    if let Some(end) = &description.end {
        let milliseconds = end.duration.as_secs_f64() * 1000.0;
        body.extend(element(id::DURATION, &milliseconds.to_be_bytes()));
    }
    element(id::INFO, &body)
}

/// Nanoseconds since the beginning of 2001 (RFC 8794 §7.6).
fn date(moment: Timestamp) -> i64 {
    const BEGINNING: i128 = 978_307_200 * 1_000_000_000;
    i64::try_from(moment.as_nanosecond() - BEGINNING).unwrap_or_default()
}

fn entry(number: u8, track: &Track) -> Vec<u8> {
    let (codec, private) = match track.codec {
        Codec::Vp8 => ("V_VP8", Vec::new()),
        Codec::H264 => ("V_MPEG4/ISO/AVC", track.format.configuration.clone()),
        Codec::Opus => ("A_OPUS", opus_head()),
    };
    let mut body = [
        unsigned(id::TRACK_NUMBER, number.into()),
        unsigned(id::TRACK_UID, number.into()),
        unsigned(id::TRACK_TYPE, if track.codec.is_video() { 1 } else { 2 }),
        unsigned(id::FLAG_LACING, 0),
        element(id::CODEC_ID, codec.as_bytes()),
    ]
    .concat();
    if !private.is_empty() && private.len() <= PRIVATE_LIMIT {
        body.extend(element(id::CODEC_PRIVATE, &private));
    }
    if track.codec.is_video() {
        let size = [
            unsigned(id::PIXEL_WIDTH, track.format.width.max(1).into()),
            unsigned(id::PIXEL_HEIGHT, track.format.height.max(1).into()),
        ];
        body.extend(element(id::VIDEO, &size.concat()));
    } else {
        // What a decoder of Opus should hear before a place to which it jumps (RFC 7845 §4.6).
        body.extend(unsigned(id::SEEK_PRE_ROLL, 80_000_000));
        let sound = [
            element(id::SAMPLING_FREQUENCY, &48_000_f64.to_be_bytes()),
            unsigned(id::CHANNELS, OPUS_CHANNELS.into()),
        ];
        body.extend(element(id::AUDIO, &sound.concat()));
    }
    element(id::TRACK_ENTRY, &body)
}

/// RTP carries Opus as two channels whatever it holds (RFC 7587 §7).
const OPUS_CHANNELS: u8 = 2;

/// The identification header of Opus (RFC 7845 §5.1), for a stream that is joined while it runs.
fn opus_head() -> Vec<u8> {
    let mut head = b"OpusHead".to_vec();
    head.extend([1, OPUS_CHANNELS]);
    head.extend(0_u16.to_le_bytes());
    head.extend(48_000_u32.to_le_bytes());
    head.extend([0, 0, 0]);
    head
}

/// How far a block may lie from the time of its cluster: 16 bits with a sign.
pub(super) const CLUSTER_REACH: u64 = 30_000;

/// A cluster of blocks; its time is that of the first.
pub(super) fn cluster(blocks: &[Block]) -> Vec<u8> {
    let begins = blocks.first().map_or(0, |block| block.at);
    let mut body = unsigned(id::TIMESTAMP, begins);
    for block in blocks {
        let after = i64::try_from(block.at)
            .unwrap_or(i64::MAX)
            .saturating_sub_unsigned(begins);
        let after = i16::try_from(after).unwrap_or(if after < 0 { i16::MIN } else { i16::MAX });
        body.extend(head(id::SIMPLE_BLOCK, 4 + block.data.len()));
        body.push(0x80 | block.track);
        body.extend(after.to_be_bytes());
        body.push(if block.is_key { 0x80 } else { 0 });
        body.extend_from_slice(&block.data);
    }
    element(id::CLUSTER, &body)
}

/// The list of places to jump to.
pub(super) fn cues(cues: &[Cue]) -> Vec<u8> {
    let points: Vec<u8> = cues
        .iter()
        .flat_map(|cue| {
            let place = [
                unsigned(id::CUE_TRACK, cue.track.into()),
                unsigned(
                    id::CUE_CLUSTER_POSITION,
                    cue.cluster - SEGMENT_BEGINS as u64,
                ),
            ];
            let point = [
                unsigned(id::CUE_TIME, cue.at),
                element(id::CUE_TRACK_POSITIONS, &place.concat()),
            ];
            element(id::CUE_POINT, &point.concat())
        })
        .collect();
    element(id::CUES, &points)
}

/// An element: its id, its size, its content.
fn element(id: impl Into<u32>, body: &[u8]) -> Vec<u8> {
    let mut bytes = head(id, body.len());
    bytes.extend_from_slice(body);
    bytes
}

fn head(id: impl Into<u32>, size: usize) -> Vec<u8> {
    let mut bytes = without_zeros(id.into().into());
    let size = size as u64;
    // The shortest form whose value is not all ones, which would mean "unknown" (RFC 8794 §4).
    let length = (1..=8_u32)
        .find(|length| size < (1 << (7 * length)) - 1)
        .unwrap_or(8);
    let coded = (1 << (7 * length)) | size;
    bytes.extend_from_slice(&coded.to_be_bytes()[8 - length as usize..]);
    bytes
}

/// An element that holds a number, in as few bytes as it needs.
fn unsigned(id: impl Into<u32>, number: u64) -> Vec<u8> {
    element(id, &without_zeros(number))
}

/// Big-endian, at least one byte.
fn without_zeros(number: u64) -> Vec<u8> {
    let zeros = (number.leading_zeros() / 8).min(7) as usize;
    number.to_be_bytes()[zeros..].to_vec()
}

/// Ids of elements (RFC 9559 §5.1, RFC 8794 §11.2).
mod id {
    pub(super) const EBML: u32 = 0x1a45_dfa3;
    pub(super) const EBML_VERSION: u16 = 0x4286;
    pub(super) const EBML_READ_VERSION: u16 = 0x42f7;
    pub(super) const EBML_MAX_ID_LENGTH: u16 = 0x42f2;
    pub(super) const EBML_MAX_SIZE_LENGTH: u16 = 0x42f3;
    pub(super) const DOC_TYPE: u16 = 0x4282;
    pub(super) const DOC_TYPE_VERSION: u16 = 0x4287;
    pub(super) const DOC_TYPE_READ_VERSION: u16 = 0x4285;
    pub(super) const VOID: u8 = 0xec;
    pub(super) const SEGMENT: u32 = 0x1853_8067;
    pub(super) const SEEK_HEAD: u32 = 0x114d_9b74;
    pub(super) const SEEK: u16 = 0x4dbb;
    pub(super) const SEEK_ID: u16 = 0x53ab;
    pub(super) const SEEK_POSITION: u16 = 0x53ac;
    pub(super) const INFO: u32 = 0x1549_a966;
    pub(super) const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
    pub(super) const DURATION: u16 = 0x4489;
    pub(super) const DATE_UTC: u16 = 0x4461;
    pub(super) const TITLE: u16 = 0x7ba9;
    pub(super) const MUXING_APP: u16 = 0x4d80;
    pub(super) const WRITING_APP: u16 = 0x5741;
    pub(super) const TRACKS: u32 = 0x1654_ae6b;
    pub(super) const TRACK_ENTRY: u8 = 0xae;
    pub(super) const TRACK_NUMBER: u8 = 0xd7;
    pub(super) const TRACK_UID: u16 = 0x73c5;
    pub(super) const TRACK_TYPE: u8 = 0x83;
    pub(super) const FLAG_LACING: u8 = 0x9c;
    pub(super) const CODEC_ID: u8 = 0x86;
    pub(super) const CODEC_PRIVATE: u16 = 0x63a2;
    pub(super) const SEEK_PRE_ROLL: u16 = 0x56bb;
    pub(super) const VIDEO: u8 = 0xe0;
    pub(super) const PIXEL_WIDTH: u8 = 0xb0;
    pub(super) const PIXEL_HEIGHT: u8 = 0xba;
    pub(super) const AUDIO: u8 = 0xe1;
    pub(super) const SAMPLING_FREQUENCY: u8 = 0xb5;
    pub(super) const CHANNELS: u8 = 0x9f;
    pub(super) const CLUSTER: u32 = 0x1f43_b675;
    pub(super) const TIMESTAMP: u8 = 0xe7;
    pub(super) const SIMPLE_BLOCK: u8 = 0xa3;
    pub(super) const CUES: u32 = 0x1c53_bb6b;
    pub(super) const CUE_POINT: u8 = 0xbb;
    pub(super) const CUE_TIME: u8 = 0xb3;
    pub(super) const CUE_TRACK_POSITIONS: u8 = 0xb7;
    pub(super) const CUE_TRACK: u8 = 0xf7;
    pub(super) const CUE_CLUSTER_POSITION: u8 = 0xf1;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(codec: Codec, configuration: usize) -> Track {
        let format = CodedFormat {
            width: 320,
            height: 180,
            channels: 2,
            configuration: vec![1; configuration],
        };
        Track { codec, format }
    }

    #[test]
    fn sizes_take_as_few_bytes_as_they_need_and_are_never_unknown() {
        for (size, bytes) in [
            (0, vec![0x80]),
            (126, vec![0xfe]),
            (127, vec![0x40, 127]),
            (16_382, vec![0x7f, 0xfe]),
            (16_383, vec![0x20, 0x3f, 0xff]),
        ] {
            assert_eq!(head(id::VOID, size)[1..], bytes, "{size}");
        }
        assert_eq!(unsigned(id::TRACK_NUMBER, 0), [0xd7, 0x81, 0]);
        assert_eq!(unsigned(id::TRACK_NUMBER, 256), [0xd7, 0x82, 1, 0]);
    }

    #[test]
    fn the_header_has_the_same_length_whatever_it_says() {
        let end = End {
            duration: Duration::from_secs(86_400),
            cues: u64::MAX / 512,
            length: u64::MAX / 256,
        };
        let long = "ä".repeat(10_000);
        for title in ["", "Anna", &long] {
            for tracks in [
                vec![],
                vec![track(Codec::Opus, 0)],
                vec![track(Codec::H264, 1024), track(Codec::Opus, 0)],
                vec![track(Codec::H264, 100_000), track(Codec::Opus, 0)],
            ] {
                for end in [None, Some(end)] {
                    let description = Description {
                        title,
                        started: Timestamp::UNIX_EPOCH,
                        tracks: &tracks,
                        end,
                    };
                    assert_eq!(header(&description).len(), HEADER_BYTES);
                }
            }
        }
    }

    #[test]
    fn blocks_before_and_behind_the_first_of_their_cluster_keep_their_time() {
        let block = |at, track| Block {
            track,
            at,
            is_key: track == 1,
            data: bytes::Bytes::from_static(b"x"),
        };
        let bytes = cluster(&[block(1000, 1), block(960, 2), block(1040, 2)]);
        let expected = [
            &[0x1f, 0x43, 0xb6, 0x75, 0x99, 0xe7, 0x82, 0x03, 0xe8][..],
            &[0xa3, 0x85, 0x81, 0, 0, 0x80, b'x'],
            &[0xa3, 0x85, 0x82, 0xff, 0xd8, 0, b'x'],
            &[0xa3, 0x85, 0x82, 0, 40, 0, b'x'],
        ]
        .concat();
        assert_eq!(bytes, expected);
    }
}
