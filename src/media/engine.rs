//! The handle of the media engine: commands in, events and a watched status out.

use std::sync::Arc;

use gstreamer as gst;
use roomd_room::{CaptureReport, MediaCommand, MediaEvent};
use serde::Serialize;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use crate::{
    devices::Device,
    encoders::{EncoderError, Tables},
    encoding::EncoderInUse,
    graph::Graph,
    launch::LaunchError,
    outputs::{OutputSource, OwnOutputs},
    pipeline::Timing,
    scene::Scene,
    settings::MediaSettings,
};

/// A demand on the engine. Demands are carried out in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// What the core of the room asks.
    Room(MediaCommand),
    /// What the display shows from now on.
    Show(Scene),
    /// How loud the speaker is.
    Speaker {
        /// Volume in percent, 0 to 100; more is taken as 100.
        volume: u8,
        /// Silent whatever the volume.
        muted: bool,
    },
}

impl From<MediaCommand> for Command {
    fn from(command: MediaCommand) -> Self {
        Self::Room(command)
    }
}

/// Why the engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The library is missing or broken.
    #[error("GStreamer does not start: {0}")]
    Init(#[from] gst::glib::Error),
    /// A file of `pipelines/` is wrong.
    #[error(transparent)]
    Tables(#[from] EncoderError),
    /// A capture line is wrong.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// No video codec is configured.
    #[error("the list of video codecs is empty; allowed are \"vp8\" and \"h264\"")]
    NoVideoCodec,
    /// A size that no encoder takes.
    #[error(
        "{what} is {width}x{height} at {fps} fps with {bitrate} bit/s; allowed are even sizes from 16x16 to 4096x4096, 1 to 120 fps and at least 1000 bit/s"
    )]
    Encoding {
        /// Which encoding.
        what: &'static str,
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
        /// Frames per second.
        fps: u32,
        /// Bits per second.
        bitrate: u32,
    },
}

/// The engine as it is now.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EngineStatus {
    /// The camera.
    pub camera: CaptureReport,
    /// The microphone.
    pub microphone: CaptureReport,
    /// Name of the display, `None` when there is none.
    pub display: Option<String>,
    /// Name of the speaker, `None` when there is none.
    pub speaker: Option<String>,
    /// Cameras, microphones and speakers that this machine had when it was looked at last.
    pub devices: Vec<Device>,
    /// Encoders in use and why these.
    pub encoders: Vec<EncoderInUse>,
    /// Number of peer connections.
    pub connections: usize,
    /// What does not work although it was asked for, each with its remedy.
    pub problems: Vec<String>,
    /// Counts up once a second for as long as the graph's task goes round: for a watchdog.
    pub heartbeat: u64,
}

/// The running engine.
#[derive(Debug)]
pub struct MediaEngine {
    commands: mpsc::UnboundedSender<Command>,
    status: watch::Receiver<EngineStatus>,
    task: JoinHandle<()>,
}

impl MediaEngine {
    /// Starts the engine on the running tokio runtime. Camera and microphone are off.
    ///
    /// # Errors
    /// When GStreamer, the tables of `pipelines/` or the settings are unusable. A device that is missing
    /// is no error here: it is reported when it is switched on.
    pub fn start(
        settings: MediaSettings,
        events: mpsc::UnboundedSender<MediaEvent>,
    ) -> Result<Self, MediaError> {
        Self::start_with(settings, events, OwnOutputs)
    }

    /// The same with outputs of one's own.
    ///
    /// # Errors
    /// As [`MediaEngine::start`].
    pub fn start_with(
        settings: MediaSettings,
        events: mpsc::UnboundedSender<MediaEvent>,
        outputs: impl OutputSource,
    ) -> Result<Self, MediaError> {
        gst::init()?;
        settings.check()?;
        let tables = Tables::built_in()?;
        let timing = Timing::start();
        let (commands, inbox) = mpsc::unbounded_channel();
        let (shown, status) = watch::channel(EngineStatus::default());
        let graph = Graph::new(settings, tables, timing, Arc::new(outputs), events, shown);
        Ok(Self {
            commands,
            status,
            task: tokio::spawn(graph.run(inbox)),
        })
    }

    /// Sends a demand. After [`MediaEngine::shutdown`] or the end of the task it is passed over.
    pub fn send(&self, command: impl Into<Command>) {
        if self.commands.send(command.into()).is_err() {
            tracing::error!("the media engine does not run any more");
        }
    }

    /// A sender of demands for another task.
    #[must_use]
    pub fn commands(&self) -> mpsc::UnboundedSender<Command> {
        self.commands.clone()
    }

    /// The status now.
    #[must_use]
    pub fn report(&self) -> EngineStatus {
        self.status.borrow().clone()
    }

    /// The status as it changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<EngineStatus> {
        self.status.clone()
    }

    /// Closes every connection and device. Returns when all pipelines have stopped or were given up.
    pub async fn shutdown(self) {
        drop(self.commands);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the media engine ended with a bug");
        }
    }
}

impl MediaSettings {
    /// Checks what the types do not: sizes, rates and the list of codecs.
    ///
    /// # Errors
    /// Names what is wrong, its value and what is allowed.
    pub fn check(&self) -> Result<(), MediaError> {
        if self.video_codecs.0.is_empty() {
            return Err(MediaError::NoVideoCodec);
        }
        for (what, encoding) in [
            ("camera_encoding", self.camera_encoding),
            ("screenshare_encoding", self.screenshare_encoding),
        ] {
            let size = |pixels: u32| (16..=4096).contains(&pixels) && pixels.is_multiple_of(2);
            let fits = size(encoding.width)
                && size(encoding.height)
                && (1..=120).contains(&encoding.fps)
                && encoding.bitrate >= 1000;
            if !fits {
                return Err(MediaError::Encoding {
                    what,
                    width: encoding.width,
                    height: encoding.height,
                    fps: encoding.fps,
                    bitrate: encoding.bitrate,
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{VideoCodecs, VideoEncoding};

    #[test]
    fn the_defaults_are_good_and_wrong_sizes_are_named() {
        assert!(MediaSettings::default().check().is_ok());
        let odd = VideoEncoding {
            width: 641,
            ..VideoEncoding::default()
        };
        let error = MediaSettings {
            camera_encoding: odd,
            ..MediaSettings::default()
        }
        .check()
        .unwrap_err();
        assert!(
            error.to_string().contains("camera_encoding is 641x720"),
            "{error}"
        );
        let none = MediaSettings {
            video_codecs: VideoCodecs(Vec::new()),
            ..MediaSettings::default()
        };
        assert!(matches!(none.check(), Err(MediaError::NoVideoCodec)));
    }
}
