//! `[media]`: cameras, sound, display, encodings; read into the engine's own settings.

use roomd_media::settings::{
    AudioBitrate, AudioSink, AudioSource, DisplaySink, LatencyMs, MediaSettings, NamedVideoSource,
    VideoCodec, VideoCodecs, VideoEncoding, VideoSource,
};
use toml::Value;

use super::{
    reader::Section,
    setting::{Setting, read_serde, serde_setting, show_serde},
    units::{EvenPixels, FramesPerSecond, JitterBuffer, OpusBitrate, Percent, VideoBitrate},
};

/// Cameras, sound, display and encodings.
#[derive(Clone, Debug, PartialEq)]
pub struct MediaConfig {
    /// What the engine is told at start. All ranges were checked.
    pub settings: MediaSettings,
    /// The speaker's volume until somebody sets another. Default: 70.
    pub volume: Percent,
}

pub(super) fn read(section: &mut Section<'_, '_>) -> MediaConfig {
    let default = MediaSettings::default();
    let settings = MediaSettings {
        camera: section.key("camera", default.camera),
        microphone: section.key("microphone", default.microphone),
        screenshare: section
            .key("screenshare", ScreenshareSources(default.screenshare))
            .0,
        display: section.key("display", default.display),
        speaker: section.key("speaker", default.speaker),
        video_codecs: section.key("video_codecs", default.video_codecs),
        audio_bitrate: AudioBitrate(section.key("audio_bitrate", OpusBitrate::DEFAULT).get()),
        latency_ms: LatencyMs(section.key("latency_ms", JitterBuffer::DEFAULT).get()),
        allow_loopback: section.key("allow_loopback", default.allow_loopback),
        camera_stream: None,
        camera_encoding: read_encoding(
            &mut section.section("camera_encoding"),
            default.camera_encoding,
        ),
        screenshare_encoding: read_encoding(
            &mut section.section("screenshare_encoding"),
            default.screenshare_encoding,
        ),
    };
    MediaConfig {
        settings,
        volume: section.key("volume", Percent::DEFAULT),
    }
}

fn read_encoding(section: &mut Section<'_, '_>, default: VideoEncoding) -> VideoEncoding {
    let pixels = |number| EvenPixels::new(number).unwrap_or(EvenPixels::MIN);
    VideoEncoding {
        width: section.key("width", pixels(default.width)).get(),
        height: section.key("height", pixels(default.height)).get(),
        fps: section
            .key(
                "fps",
                FramesPerSecond::new(default.fps).unwrap_or(FramesPerSecond::DEFAULT),
            )
            .get(),
        bitrate: section
            .key(
                "bitrate",
                VideoBitrate::new(default.bitrate).unwrap_or(VideoBitrate::DEFAULT),
            )
            .get(),
    }
}

serde_setting! {
    VideoSource: "\"auto\", \"none\", \"test\" or { v4l2 = \"/dev/v4l/by-id/…\" }" ["auto", "none", "test"];
    AudioSource: "\"auto\", \"none\", { alsa = \"hw:1,0\" } or { test = { frequency = 440.0, level_dbfs = -20.0 } }" ["auto", "none"];
    DisplaySink: "one of \"auto\", \"none\", \"wayland\", \"x11\", \"kms\"" ["auto", "none", "wayland", "x11", "kms"];
    AudioSink: "\"auto\", \"none\" or { alsa = \"hw:1,0\" }" ["auto", "none"];
}

impl Setting for VideoCodecs {
    const ALLOWED: &'static str =
        "a list of \"vp8\" and \"h264\", the preferred one first, each at most once";

    fn read(value: Value) -> Result<Self, Option<String>> {
        let codecs: Vec<VideoCodec> = read_serde(value)?;
        match codecs.as_slice() {
            [] => Err(Some("there is no codec in it".to_owned())),
            [first, rest @ ..] if rest.contains(first) || rest.len() > 1 => {
                Err(Some("a codec stands in it twice".to_owned()))
            }
            _ => Ok(Self(codecs)),
        }
    }

    fn show(&self) -> Value {
        show_serde(self)
    }
}

struct ScreenshareSources(Vec<NamedVideoSource>);

impl Setting for ScreenshareSources {
    const ALLOWED: &'static str = "a list of sources, as [{ name = \"hdmi\", source = { v4l2 = \"/dev/video2\" } }], each name once";

    fn read(value: Value) -> Result<Self, Option<String>> {
        let sources: Vec<NamedVideoSource> = read_serde(value)?;
        for (at, source) in sources.iter().enumerate() {
            if source.name.trim().is_empty() {
                return Err(Some("a source has no name".to_owned()));
            }
            if sources[..at].iter().any(|other| other.name == source.name) {
                return Err(Some(format!(
                    "the name {:?} stands in it twice",
                    source.name
                )));
            }
        }
        Ok(Self(sources))
    }

    fn show(&self) -> Value {
        show_serde(&self.0)
    }
}
