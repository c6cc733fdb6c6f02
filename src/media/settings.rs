//! What the media engine is told once, at start: sources, sinks, sizes and rates.

use roomd_protocol::StreamId;
use serde::{Deserialize, Serialize};

/// Everything the engine needs to know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MediaSettings {
    /// Where the camera picture comes from.
    pub camera: VideoSource,
    /// Where the microphone sound comes from.
    pub microphone: AudioSource,
    /// Sources that may be shared, by name; the first is the default.
    pub screenshare: Vec<NamedVideoSource>,
    /// Where the room is shown.
    pub display: DisplaySink,
    /// Where the room is heard.
    pub speaker: AudioSink,
    /// The camera's encoding.
    pub camera_encoding: VideoEncoding,
    /// The presentation's encoding.
    pub screenshare_encoding: VideoEncoding,
    /// Which video codecs to use, the preferred one first.
    pub video_codecs: VideoCodecs,
    /// Opus bitrate in bit/s, 6000 to 510000.
    pub audio_bitrate: AudioBitrate,
    /// Jitter buffer in milliseconds, 0 to 1000.
    pub latency_ms: LatencyMs,
    /// Gather loopback candidates too: for tests and the demo only.
    pub allow_loopback: bool,
    /// Id of the camera's stream in every description, `None` for a new one. Not configured: who
    /// returns under its old id must keep it, because an SDK takes a second id of the same
    /// participant for a screenshare.
    #[serde(skip)]
    pub camera_stream: Option<StreamId>,
}

/// A source of pictures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VideoSource {
    /// The first camera found, a moving test picture when there is none.
    #[default]
    Auto,
    /// No picture.
    None,
    /// A moving test picture of known content: vertical bars of saturated colours and a moving block.
    Test,
    /// A V4L2 device by path (`/dev/v4l/by-id/…`).
    V4l2(String),
}

/// A source of pictures that can be shared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedVideoSource {
    /// How commands call it.
    pub name: String,
    /// Where it comes from.
    pub source: VideoSource,
}

/// A source of sound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AudioSource {
    /// The default ALSA capture device, a test tone when there is none.
    #[default]
    Auto,
    /// No sound.
    None,
    /// A tone.
    Test {
        /// Frequency in hertz.
        frequency: f64,
        /// Level in dBFS (RMS of the sine is 3 dB below its peak; this is the RMS).
        level_dbfs: f64,
    },
    /// An ALSA PCM by name (`hw:1,0`, `default`).
    Alsa(String),
}

/// Where pictures are shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DisplaySink {
    /// Wayland, X or KMS, whichever is there; nothing when none is.
    #[default]
    Auto,
    /// No display: nothing is decoded for one.
    None,
    /// A Wayland compositor.
    Wayland,
    /// An X window.
    X11,
    /// The screen itself.
    Kms,
}

/// Where sound is played.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AudioSink {
    /// The default ALSA playback device; nothing when there is none.
    #[default]
    Auto,
    /// No speaker.
    None,
    /// An ALSA PCM by name.
    Alsa(String),
}

/// Size, rate and bitrate of an encoding.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VideoEncoding {
    /// Width in pixels, even.
    pub width: u32,
    /// Height in pixels, even.
    pub height: u32,
    /// Frames per second.
    pub fps: u32,
    /// Bits per second.
    pub bitrate: u32,
}

impl Default for VideoEncoding {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 720,
            fps: 30,
            bitrate: 1_500_000,
        }
    }
}

/// A list of codecs, the preferred one first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VideoCodecs(pub Vec<VideoCodec>);

impl Default for VideoCodecs {
    fn default() -> Self {
        Self(vec![VideoCodec::Vp8, VideoCodec::H264])
    }
}

/// A video codec that every WebRTC endpoint knows (RFC 7742 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VideoCodec {
    /// H.264 constrained baseline, packetization mode 1 (RFC 6184).
    H264,
    /// VP8 (RFC 7741).
    Vp8,
}

/// Opus bitrate in bit/s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AudioBitrate(pub u32);

impl Default for AudioBitrate {
    fn default() -> Self {
        Self(48_000)
    }
}

/// Jitter buffer in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LatencyMs(pub u32);

impl Default for LatencyMs {
    fn default() -> Self {
        Self(60)
    }
}
