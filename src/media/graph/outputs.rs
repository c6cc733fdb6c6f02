//! Display and speaker: opened when the graph starts, and again whenever they are lost or were not there.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use roomd_protocol::{ClientId, StreamId};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    coded::CodedInput,
    outputs::{OutputSource, PictureOutput, SoundOutput},
    pipeline::Timing,
    playback::PlaybackError,
    receive::Target,
    scene::Scene,
    settings::{AudioSink, DisplaySink, MediaSettings},
};

/// A lost output is opened again after this time; each failure doubles it.
const FIRST_RETRY: Duration = Duration::from_millis(200);
/// The longest time between two attempts for an output that is missed: somebody may just have put the plug back.
const LAST_RETRY: Duration = Duration::from_secs(2);
/// The time between two looks for something that nobody asked for by name and that was never there.
const NEXT_LOOK: Duration = Duration::from_secs(10);
/// An output that worked for this long failed for a new reason.
const WORKED: Duration = Duration::from_secs(10);

/// What happened to an output.
pub(super) enum OutputNews {
    /// An attempt to open the display is over.
    Display(Result<Option<Box<dyn PictureOutput>>, PlaybackError>),
    /// An attempt to open the speaker is over.
    Speaker(Result<Option<Box<dyn SoundOutput>>, PlaybackError>),
    /// The display failed.
    DisplayLost(PlaybackError),
    /// The speaker failed.
    SpeakerLost(PlaybackError),
}

/// Whose inputs are not what they were: those of the display (video) or the speaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InputsChanged {
    pub(super) video: bool,
}

/// Display and speaker with what they show and how loud they are, whether they are there or not.
pub(super) struct Outputs {
    source: Arc<dyn OutputSource>,
    settings: MediaSettings,
    timing: Timing,
    display: Slot<dyn PictureOutput>,
    speaker: Slot<dyn SoundOutput>,
    scene: Scene,
    /// Percent, and whether it is silent all the same.
    volume: Option<(u8, bool)>,
    attempts: JoinSet<()>,
    tell: mpsc::UnboundedSender<OutputNews>,
    news: mpsc::UnboundedReceiver<OutputNews>,
}

/// One output.
struct Slot<O: ?Sized> {
    what: &'static str,
    output: Option<Box<O>>,
    opened: Option<Instant>,
    failures: u32,
    trouble: Option<Trouble>,
}

struct Trouble {
    message: String,
    /// Nobody asked for it and it never was there: worth a line in the log, nothing that has to be repaired.
    is_absence: bool,
}

impl Outputs {
    pub(super) fn new(
        source: Arc<dyn OutputSource>,
        settings: MediaSettings,
        timing: Timing,
    ) -> Self {
        let (tell, news) = mpsc::unbounded_channel();
        Self {
            source,
            settings,
            timing,
            display: Slot::new("display"),
            speaker: Slot::new("speaker"),
            scene: Scene::default(),
            volume: None,
            attempts: JoinSet::new(),
            tell,
            news,
        }
    }

    /// Begins to open what the settings ask for.
    pub(super) fn open(&mut self) {
        if self.settings.display != DisplaySink::None {
            self.open_display(None, Duration::ZERO);
        }
        if self.settings.speaker != AudioSink::None {
            self.open_speaker(None, Duration::ZERO);
        }
    }

    /// The next news; waits until there are some. May be dropped while it waits.
    pub(super) async fn next(&mut self) -> OutputNews {
        let display = async {
            match &mut self.display.output {
                Some(display) => display.next_error().await,
                None => std::future::pending().await,
            }
        };
        let speaker = async {
            match &mut self.speaker.output {
                Some(speaker) => speaker.next_error().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(news) = self.news.recv() => news,
            error = display => OutputNews::DisplayLost(error),
            error = speaker => OutputNews::SpeakerLost(error),
        }
    }

    /// Follows the news. Streams have to ask for their inputs again when it says so.
    pub(super) fn hear(&mut self, news: OutputNews) -> Option<InputsChanged> {
        while self.attempts.try_join_next().is_some() {}
        match news {
            OutputNews::Display(attempt) => match self.display.take(attempt) {
                Ok(Some(display)) => {
                    display.show(&self.scene);
                    Some(InputsChanged { video: true })
                }
                Ok(None) => None,
                Err(delay) => {
                    self.open_display(None, delay);
                    None
                }
            },
            OutputNews::Speaker(attempt) => match self.speaker.take(attempt) {
                Ok(Some(speaker)) => {
                    if let Some((volume, muted)) = self.volume {
                        speaker.set_volume(volume);
                        speaker.set_muted(muted);
                    }
                    Some(InputsChanged { video: false })
                }
                Ok(None) => None,
                Err(delay) => {
                    self.open_speaker(None, delay);
                    None
                }
            },
            OutputNews::DisplayLost(error) => {
                let (old, delay) = self.display.lose(&error);
                self.open_display(old, delay);
                Some(InputsChanged { video: true })
            }
            OutputNews::SpeakerLost(error) => {
                let (old, delay) = self.speaker.lose(&error);
                self.open_speaker(old, delay);
                Some(InputsChanged { video: false })
            }
        }
    }

    /// Shows a scene, now and on a display that comes later.
    pub(super) fn show(&mut self, scene: Scene) {
        if let Some(display) = &mut self.display.output {
            display.show(&scene);
        }
        self.scene = scene;
    }

    /// Sets the volume (percent) and whether the speaker is silent, now and for one that comes later.
    pub(super) fn set_volume(&mut self, volume: u8, muted: bool) {
        let volume = volume.min(100);
        if let Some(speaker) = &mut self.speaker.output {
            speaker.set_volume(volume);
            speaker.set_muted(muted);
        }
        self.volume = Some((volume, muted));
    }

    /// An input for a stream: of the recording in an engine that records; `None` while there is no output for it.
    pub(super) fn input(
        &mut self,
        peer: &ClientId,
        stream: &StreamId,
        video: bool,
    ) -> Option<Target> {
        if let Some(frames) = self.source.recording() {
            return Some(Target::Coded(CodedInput {
                peer: peer.clone(),
                stream: stream.clone(),
                frames,
            }));
        }
        let input = if video {
            let input = self.display.output.as_mut()?.video_input(peer, stream);
            self.display.input(input)
        } else {
            let input = self.speaker.output.as_mut()?.audio_input(peer, stream);
            self.speaker.input(input)
        };
        input.map(Target::Raw)
    }

    /// The stream is gone.
    pub(super) fn remove_input(&mut self, peer: &ClientId, stream: &StreamId, video: bool) {
        if video && let Some(display) = &mut self.display.output {
            display.remove_input(peer, stream);
        } else if !video && let Some(speaker) = &mut self.speaker.output {
            speaker.remove_input(peer, stream);
        }
    }

    /// Name of the display, while there is one.
    pub(super) fn display_name(&self) -> Option<String> {
        self.display.output.as_ref().map(|display| display.name())
    }

    /// Name of the speaker, while there is one.
    pub(super) fn speaker_name(&self) -> Option<String> {
        self.speaker.output.as_ref().map(|speaker| speaker.name())
    }

    /// What does not work although it was asked for, or worked before.
    pub(super) fn problems(&self) -> Vec<String> {
        let problem = |trouble: &Option<Trouble>| {
            let trouble = trouble.as_ref().filter(|trouble| !trouble.is_absence);
            trouble.map(|trouble| trouble.message.clone())
        };
        let (display, speaker) = (&self.display.trouble, &self.speaker.trouble);
        problem(display)
            .into_iter()
            .chain(problem(speaker))
            .collect()
    }

    /// Gives display and speaker back.
    pub(super) async fn close(mut self) {
        self.attempts.shutdown().await;
        let outputs = (self.display.output.take(), self.speaker.output.take());
        if tokio::task::spawn_blocking(move || drop(outputs))
            .await
            .is_err()
        {
            tracing::error!("closing display and speaker ended with a bug");
        }
    }

    fn open_display(&mut self, old: Option<Box<dyn PictureOutput>>, delay: Duration) {
        let (source, settings, timing) = self.means();
        let open = move || source.display(&settings, &timing.clock, timing.base_time);
        let tell = self.tell.clone();
        self.attempts.spawn(async move {
            // The graph is gone when the engine stops.
            let _ = tell.send(OutputNews::Display(attempt(old, delay, open).await));
        });
    }

    fn open_speaker(&mut self, old: Option<Box<dyn SoundOutput>>, delay: Duration) {
        let (source, settings, timing) = self.means();
        let open = move || source.speaker(&settings, &timing.clock, timing.base_time);
        let tell = self.tell.clone();
        self.attempts.spawn(async move {
            // The graph is gone when the engine stops.
            let _ = tell.send(OutputNews::Speaker(attempt(old, delay, open).await));
        });
    }

    fn means(&self) -> (Arc<dyn OutputSource>, MediaSettings, Timing) {
        let source = Arc::clone(&self.source);
        (source, self.settings.clone(), self.timing.clone())
    }
}

/// Closes the output of before, which may hold the device, waits, and opens it again.
async fn attempt<O: ?Sized + Send + 'static>(
    old: Option<Box<O>>,
    delay: Duration,
    open: impl FnOnce() -> Result<Option<Box<O>>, PlaybackError> + Send + 'static,
) -> Result<Option<Box<O>>, PlaybackError> {
    let blocking = async {
        tokio::task::spawn_blocking(move || drop(old)).await?;
        tokio::time::sleep(delay).await;
        tokio::task::spawn_blocking(open).await
    };
    blocking.await.unwrap_or_else(|bug| {
        Err(PlaybackError::Pipeline {
            pipeline: "playback",
            operation: "opening it",
            reason: bug.to_string(),
        })
    })
}

impl<O: ?Sized> Slot<O> {
    fn new(what: &'static str) -> Self {
        Self {
            what,
            output: None,
            opened: None,
            failures: 0,
            trouble: None,
        }
    }

    /// Takes what an attempt gave: the output if it is open, or when to try again.
    fn take(
        &mut self,
        attempt: Result<Option<Box<O>>, PlaybackError>,
    ) -> Result<Option<&mut Box<O>>, Duration> {
        match attempt {
            Ok(output) => {
                tracing::info!(is_open = output.is_some(), "{}", self.what);
                self.opened = output.is_some().then(Instant::now);
                self.output = output;
                self.trouble = None;
                Ok(self.output.as_mut())
            }
            Err(error) => {
                // Never opened, not asked for by name: nothing is wrong with a box without one.
                let is_absence = matches!(error, PlaybackError::NothingThere { .. })
                    && self
                        .trouble
                        .as_ref()
                        .is_none_or(|trouble| trouble.is_absence);
                self.complain(error.to_string(), is_absence);
                Err(if is_absence {
                    NEXT_LOOK
                } else {
                    self.next_retry()
                })
            }
        }
    }

    /// The output failed: it, to be closed, and when to open it again.
    fn lose(&mut self, error: &PlaybackError) -> (Option<Box<O>>, Duration) {
        if self
            .opened
            .take()
            .is_some_and(|since| since.elapsed() >= WORKED)
        {
            self.failures = 0;
        }
        self.complain(error.to_string(), false);
        (self.output.take(), self.next_retry())
    }

    fn input(
        &mut self,
        input: Result<gstreamer_app::AppSrc, PlaybackError>,
    ) -> Option<gstreamer_app::AppSrc> {
        input
            .map_err(|error| self.complain(error.to_string(), false))
            .ok()
    }

    fn complain(&mut self, message: String, is_absence: bool) {
        let is_new = self
            .trouble
            .as_ref()
            .is_none_or(|trouble| trouble.message != message);
        if is_new && is_absence {
            tracing::info!("{message}");
        } else if is_new {
            tracing::warn!("{message}");
        }
        self.trouble = Some(Trouble {
            message,
            is_absence,
        });
    }

    fn next_retry(&mut self) -> Duration {
        let delay = FIRST_RETRY.saturating_mul(2u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        delay.min(LAST_RETRY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing() -> PlaybackError {
        PlaybackError::NothingThere {
            what: "display",
            tried: "nothing".to_owned(),
        }
    }

    fn broken() -> PlaybackError {
        PlaybackError::Pipeline {
            pipeline: "display",
            operation: "playing",
            reason: "it broke".to_owned(),
        }
    }

    #[test]
    fn what_was_never_there_is_looked_for_seldom_and_is_no_problem() {
        let mut slot = Slot::<u8>::new("display");
        assert_eq!(slot.take(Err(nothing())).err(), Some(NEXT_LOOK));
        assert!(slot.trouble.as_ref().unwrap().is_absence);
        assert_eq!(slot.take(Err(nothing())).err(), Some(NEXT_LOOK));
        assert!(slot.take(Ok(Some(Box::new(1)))).is_ok());
        assert!(slot.trouble.is_none());
    }

    #[test]
    fn what_was_lost_is_a_problem_until_it_is_back_and_is_tried_again_soon() {
        let mut slot = Slot::new("display");
        slot.take(Ok(Some(Box::new(1)))).unwrap();
        let (old, delay) = slot.lose(&broken());
        assert_eq!((old, delay), (Some(Box::new(1)), FIRST_RETRY));
        let mut delays = Vec::new();
        for _ in 0..6 {
            delays.push(slot.take(Err(nothing())).unwrap_err());
            assert!(!slot.trouble.as_ref().unwrap().is_absence);
        }
        assert_eq!(delays[0], FIRST_RETRY * 2);
        assert_eq!(delays[5], LAST_RETRY);
        slot.take(Ok(Some(Box::new(2)))).unwrap();
        assert!(slot.trouble.is_none());
        // It fails at once again and again: no faster than before.
        assert_eq!(slot.lose(&broken()).1, LAST_RETRY);
    }
}
