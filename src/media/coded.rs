//! Coded pictures and sound of peers for whoever keeps them as they are: a recording. Nothing is
//! decoded on this way.
//!
//! It ends in a bounded channel. Where that is full, frames are lost and video goes on with its next
//! key frame; the connection notices nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use gstreamer as gst;
use gstreamer_app as gst_app;
use roomd_protocol::{ClientId, StreamId};
use tokio::sync::mpsc;

use crate::{encoders::Codec, fanout::in_running_time};

/// One coded picture, or one packet of coded sound.
#[derive(Clone, Debug)]
pub struct CodedFrame {
    /// Who sent it.
    pub peer: ClientId,
    /// In which of its streams (`msid`).
    pub stream: StreamId,
    /// What it is coded with.
    pub codec: Codec,
    /// When it was captured, on the clock that all streams of the engine share.
    pub at: Duration,
    /// It can be decoded without those before it.
    pub is_key: bool,
    /// What a decoder must know beforehand.
    pub format: Arc<CodedFormat>,
    /// The frame: for H.264 NAL units, each behind its length in four bytes (ISO/IEC 14496-15).
    pub data: Bytes,
}

/// What the frames of a stream have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodedFormat {
    /// Width of the picture in pixels, 0 while unknown and for sound.
    pub width: u32,
    /// Height of the picture in pixels, 0 while unknown and for sound.
    pub height: u32,
    /// Channels of sound, 0 for pictures.
    pub channels: u8,
    /// The decoder configuration record of H.264 (`avcC`), empty for the others.
    pub configuration: Vec<u8>,
}

impl CodedFormat {
    fn of(caps: &gst::CapsRef) -> Self {
        let Some(structure) = caps.structure(0) else {
            return Self::default();
        };
        let number = |name| {
            structure
                .get::<i32>(name)
                .unwrap_or_default()
                .unsigned_abs()
        };
        let configuration = structure
            .get::<gst::Buffer>("codec_data")
            .ok()
            .and_then(|buffer| Some(buffer.map_readable().ok()?.as_slice().to_vec()));
        Self {
            width: number("width"),
            height: number("height"),
            channels: u8::try_from(number("channels")).unwrap_or_default(),
            configuration: configuration.unwrap_or_default(),
        }
    }
}

/// Where the frames of one track go.
#[derive(Debug)]
pub(crate) struct CodedInput {
    pub(crate) peer: ClientId,
    pub(crate) stream: StreamId,
    pub(crate) frames: mpsc::Sender<CodedFrame>,
}

impl CodedInput {
    /// Sends everything that arrives at `sink`. `delivered` counts; `key_frame_needed` is called on the
    /// streaming thread for every picture that is of no use without one.
    pub(crate) fn feed_from(
        self,
        sink: &gst_app::AppSink,
        codec: Codec,
        delivered: Arc<AtomicU64>,
        key_frame_needed: impl Fn() + Send + 'static,
    ) {
        let mut track = Track {
            input: self,
            codec,
            caps: None,
            format: Arc::default(),
            awaits_key_frame: codec.is_video(),
        };
        sink.set_callbacks(
            gst_app::AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    match track.send(sample) {
                        Sent::Delivered => {
                            delivered.fetch_add(1, Ordering::Relaxed);
                        }
                        Sent::NeedsKeyFrame => key_frame_needed(),
                        Sent::Lost => {}
                    }
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        );
    }
}

/// What the streaming thread keeps from one frame to the next.
struct Track {
    input: CodedInput,
    codec: Codec,
    caps: Option<gst::Caps>,
    format: Arc<CodedFormat>,
    awaits_key_frame: bool,
}

enum Sent {
    Delivered,
    NeedsKeyFrame,
    Lost,
}

impl Track {
    fn send(&mut self, sample: gst::Sample) -> Sent {
        let sample = in_running_time(sample);
        if let Some(caps) = sample.caps_owned()
            && self.caps.as_ref() != Some(&caps)
        {
            let format = CodedFormat::of(&caps);
            if *self.format != format {
                self.format = Arc::new(format);
            }
            self.caps = Some(caps);
        }
        let Some(buffer) = sample.buffer_owned() else {
            return Sent::Lost;
        };
        let is_key = !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT);
        if self.awaits_key_frame && !is_key {
            return Sent::NeedsKeyFrame;
        }
        let (Some(at), Ok(data)) = (buffer.pts(), buffer.clone().into_mapped_buffer_readable())
        else {
            return Sent::Lost;
        };
        let frame = CodedFrame {
            peer: self.input.peer.clone(),
            stream: self.input.stream.clone(),
            codec: self.codec,
            at: at.into(),
            is_key,
            format: Arc::clone(&self.format),
            data: Bytes::from_owner(data),
        };
        match self.input.frames.try_send(frame) {
            Ok(()) => {
                self.awaits_key_frame = false;
                Sent::Delivered
            }
            Err(mpsc::error::TrySendError::Full(_)) if self.codec.is_video() => {
                self.awaits_key_frame = true;
                Sent::NeedsKeyFrame
            }
            // Whoever recorded is gone, or a packet of sound is.
            Err(_) => Sent::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(capacity: usize) -> (Track, mpsc::Receiver<CodedFrame>) {
        gst::init().unwrap();
        let (frames, received) = mpsc::channel(capacity);
        let input = CodedInput {
            peer: "anna".into(),
            stream: "camera".into(),
            frames,
        };
        let track = Track {
            input,
            codec: Codec::Vp8,
            caps: None,
            format: Arc::default(),
            awaits_key_frame: true,
        };
        (track, received)
    }

    fn sample(ms: u64, is_key: bool) -> gst::Sample {
        let mut buffer = gst::Buffer::from_slice([1, 2, 3]);
        let writable = buffer.get_mut().unwrap();
        writable.set_pts(gst::ClockTime::from_mseconds(ms));
        if !is_key {
            writable.set_flags(gst::BufferFlags::DELTA_UNIT);
        }
        let caps = gst::Caps::builder("video/x-vp8")
            .field("width", 320)
            .field("height", 180)
            .build();
        gst::Sample::builder().buffer(&buffer).caps(&caps).build()
    }

    #[test]
    fn a_stream_begins_with_a_key_frame_and_carries_its_format() {
        let (mut track, mut received) = track(4);
        assert!(matches!(track.send(sample(0, false)), Sent::NeedsKeyFrame));
        assert!(matches!(track.send(sample(40, true)), Sent::Delivered));
        let frame = received.try_recv().unwrap();
        assert_eq!(frame.at, Duration::from_millis(40));
        assert!(frame.is_key);
        assert_eq!((frame.format.width, frame.format.height), (320, 180));
        assert_eq!(&frame.data[..], [1, 2, 3]);
    }

    #[test]
    fn whoever_does_not_keep_up_goes_on_with_the_next_key_frame() {
        let (mut track, mut received) = track(1);
        assert!(matches!(track.send(sample(0, true)), Sent::Delivered));
        assert!(matches!(track.send(sample(40, false)), Sent::NeedsKeyFrame));
        received.try_recv().unwrap();
        assert!(matches!(track.send(sample(80, false)), Sent::NeedsKeyFrame));
        assert!(matches!(track.send(sample(120, true)), Sent::Delivered));
    }
}
