//! What the media engine is told once, at start: sources, sinks, sizes and rates.

use roomd_protocol::StreamId;
use roomd_room::CaptureProfile;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

impl VideoEncoding {
    /// What a launch line needs to know of it.
    pub(crate) fn values(self) -> Vec<(&'static str, String)> {
        vec![
            ("width", self.width.to_string()),
            ("height", self.height.to_string()),
            ("fps", self.fps.to_string()),
        ]
    }

    /// What is left of it under a profile: never more lines, the configured shape or 4:3, and a
    /// bitrate that falls more slowly than the area, because small pictures need more for each pixel.
    #[must_use]
    pub fn under(self, profile: CaptureProfile) -> Self {
        let even = |pixels: u32| (pixels & !1).max(16);
        let height = profile
            .height()
            .map_or(self.height, |most| self.height.min(most));
        let mut width = self.width * height / self.height.max(1);
        if !profile.widescreen {
            width = width.min(height * 4 / 3);
        }
        let (width, height) = (even(width), even(height));
        let area = |width: u32, height: u32| f64::from(width) * f64::from(height);
        let share = area(width, height) / area(self.width, self.height).max(1.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a u32 that is at most about one; `as` saturates"
        )]
        let bitrate = (f64::from(self.bitrate) * share.powf(0.75)) as u32;
        Self {
            width,
            height,
            fps: self.fps,
            bitrate: bitrate.clamp(1000, self.bitrate.max(1000)),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_makes_the_picture_smaller_never_larger_and_keeps_or_narrows_its_shape() {
        let profile = |hd, low_data, widescreen| CaptureProfile {
            hd,
            low_data,
            widescreen,
        };
        let size = |configured: (u32, u32), profile| {
            let configured = VideoEncoding {
                width: configured.0,
                height: configured.1,
                ..VideoEncoding::default()
            };
            let encoding = configured.under(profile);
            assert!(encoding.bitrate <= configured.bitrate);
            (encoding.width, encoding.height)
        };
        let hd = (1280, 720);
        assert_eq!(size(hd, CaptureProfile::default()), hd);
        assert_eq!(size(hd, profile(false, false, true)), (640, 360));
        assert_eq!(size(hd, profile(true, true, true)), (640, 360));
        assert_eq!(size(hd, profile(false, true, true)), (480, 270));
        assert_eq!(size(hd, profile(true, false, false)), (960, 720));
        assert_eq!(size(hd, profile(false, true, false)), (360, 270));
        // What is configured small or narrow stays so.
        assert_eq!(size((320, 180), profile(false, false, true)), (320, 180));
        assert_eq!(size((640, 480), profile(true, false, false)), (640, 480));
        assert_eq!(size((640, 480), profile(true, false, true)), (640, 480));
    }

    #[test]
    fn the_default_profile_changes_nothing() {
        let configured = VideoEncoding::default();
        assert_eq!(configured.under(CaptureProfile::default()), configured);
    }
}
