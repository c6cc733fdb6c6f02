//! Capture of one source: its device, its gate, and the raw samples behind the gate.
//!
//! One task for each source carries its requests out in order. Closing is done gate first: nothing
//! passes any more, and that is confirmed, before the device itself is closed.

pub(crate) mod camera;
pub(crate) mod microphone;
pub(crate) mod painting;
mod placeholder;
pub(crate) mod screenshare;
pub(crate) mod test_picture;

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use roomd_room::CaptureReport;
use serde::Serialize;
use tokio::{
    sync::{Notify, mpsc},
    time::MissedTickBehavior,
};

use crate::{
    fanout::{APPSINK, Fanout},
    launch::{self, LaunchError},
    pipeline::{self, BusEvent, StateError, Timing},
    settings::VideoEncoding,
};
use placeholder::Placeholder;
use test_picture::TestPicture;

/// How long a device may take to give its first sample.
const FIRST_SAMPLE_TIMEOUT: Duration = Duration::from_secs(5);
/// A device that gave samples and has given none for this long does not work any more.
const STALLED: Duration = Duration::from_secs(5);
/// How often that is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long the gate may take to be confirmed closed: far longer than one buffer.
const GATE_TIMEOUT: Duration = Duration::from_millis(500);

/// What is captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The camera.
    Camera,
    /// The microphone.
    Microphone,
    /// The shared picture.
    Presentation,
}

impl Source {
    /// Whether a device that is lost while it works is opened again by itself.
    fn returns(self) -> bool {
        matches!(self, Self::Camera | Self::Microphone)
    }
}

/// Where samples come from: a launch line and what people call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CaptureLine {
    /// Name of the device.
    pub(crate) device: String,
    /// The launch line up to the gate.
    pub(crate) line: String,
    /// What is painted into the pictures of a test source.
    pub(crate) painted: Option<TestPicture>,
    /// No device: a test source that stands in for one.
    pub(crate) is_test: bool,
    /// Size and rate of the picture that others see while this device is lost.
    pub(crate) placeholder: Option<VideoEncoding>,
}

/// What a capture task is asked to do.
#[derive(Clone, Debug)]
pub(crate) enum CaptureRequest {
    /// Open the device and then the gate.
    Open(CaptureLine),
    /// Close the gate and then the device.
    Close,
}

/// What a capture task tells.
#[derive(Clone, Debug)]
pub(crate) struct CaptureNews {
    pub(crate) source: Source,
    pub(crate) report: CaptureReport,
}

/// Why a source does not give samples.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaptureError {
    #[error(transparent)]
    Launch(#[from] LaunchError),
    #[error("{0}")]
    Failed(pipeline::ElementFailure),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("the source ended")]
    Ended,
    #[error("no sample within {0:?}")]
    Silent(Duration),
    #[error("no sample for {0:?}")]
    Stalled(Duration),
}

struct Opened {
    pipeline: gst::Pipeline,
    gate: gst::Element,
    device: String,
    line: CaptureLine,
    bus: mpsc::UnboundedReceiver<BusEvent>,
    first_sample: Arc<Notify>,
}

/// The task of one source.
pub(crate) struct Capture {
    source: Source,
    raw: Fanout,
    timing: Timing,
    news: mpsc::UnboundedSender<CaptureNews>,
    opened: Option<Opened>,
    flowing: bool,
    /// The device worked, nobody closed it, and it is gone.
    lost: bool,
    placeholder: Option<Placeholder>,
    waiting: VecDeque<CaptureRequest>,
}

impl Capture {
    /// A source whose device is closed; its raw samples will go to `raw`.
    pub(crate) fn new(
        source: Source,
        raw: Fanout,
        timing: Timing,
        news: mpsc::UnboundedSender<CaptureNews>,
    ) -> Self {
        Self {
            source,
            raw,
            timing,
            news,
            opened: None,
            flowing: false,
            lost: false,
            placeholder: None,
            waiting: VecDeque::new(),
        }
    }

    /// Carries requests out until there can be no more of them, then closes the device.
    pub(crate) async fn run(mut self, mut requests: mpsc::UnboundedReceiver<CaptureRequest>) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = (0, Instant::now());
        loop {
            let request = match self.waiting.pop_front() {
                Some(request) => Some(request),
                None => tokio::select! {
                    biased;
                    request = requests.recv() => request,
                    failure = failure(&mut self.opened) => {
                        self.fail(failure).await;
                        continue;
                    }
                    _ = looks.tick(), if self.flowing => {
                        let samples = self.raw.samples();
                        // A test source cannot stall; it is late where the processor is short.
                        let is_test = self.opened.as_ref().is_some_and(|opened| opened.line.is_test);
                        if is_test || samples != seen.0 || seen.1.elapsed() > STALLED + 2 * LOOK {
                            // Not looked at for long: it was closed meanwhile, or everything stood still.
                            seen = (samples, Instant::now());
                        } else if seen.1.elapsed() >= STALLED {
                            self.fail(CaptureError::Stalled(STALLED)).await;
                        }
                        continue;
                    }
                },
            };
            match request {
                Some(CaptureRequest::Open(line)) => self.open(line, &mut requests).await,
                Some(CaptureRequest::Close) => self.close().await,
                None => break,
            }
        }
        if self.opened.is_some() || self.placeholder.is_some() {
            self.close().await;
        }
    }

    async fn open(
        &mut self,
        line: CaptureLine,
        requests: &mut mpsc::UnboundedReceiver<CaptureRequest>,
    ) {
        if let Some(opened) = &self.opened {
            if self.flowing && opened.line == line {
                return self.tell(opened.device.clone(), true, true, None);
            }
            self.close_device().await;
        }
        let (device, placeholder) = (line.device.clone(), line.placeholder);
        match self.start(line).await {
            Ok(opened) => self.opened = Some(opened),
            Err(error) => {
                self.hold_the_place(placeholder).await;
                return self.tell(device, false, false, Some(error.to_string()));
            }
        }
        self.drop_placeholder().await;
        self.raw.set_shut(false);
        let Some(opened) = &mut self.opened else {
            return;
        };
        opened.gate.set_property("drop", false);
        let first_sample = Arc::clone(&opened.first_sample);
        let outcome = tokio::select! {
            // A request to close cuts the wait short: its gate comes first.
            request = requests.recv() => {
                // The gate stands open until then, so nobody may be told otherwise.
                self.waiting.extend(request);
                self.flowing = true;
                self.lost = false;
                return self.tell(device, true, true, None);
            }
            () = first_sample.notified() => Ok(()),
            error = next_failure(&mut opened.bus) => Err(error),
            () = tokio::time::sleep(FIRST_SAMPLE_TIMEOUT) => Err(CaptureError::Silent(FIRST_SAMPLE_TIMEOUT)),
        };
        match outcome {
            Ok(()) => {
                self.flowing = true;
                self.lost = false;
                self.tell(device, true, true, None);
            }
            Err(error) => self.fail(error).await,
        }
    }

    async fn start(&self, line: CaptureLine) -> Result<Opened, CaptureError> {
        let text = format!(
            "{} ! valve name=gate drop=true ! {APPSINK} name=samples",
            line.line
        );
        let pipeline = launch::pipeline(&text)?;
        let gate: gst::Element = launch::named(&pipeline, &text, "gate")?;
        let sink: gst_app::AppSink = launch::named(&pipeline, &text, "samples")?;
        if let Some(picture) = line.painted {
            let painter: gst::Element = launch::named(&pipeline, &text, "painter")?;
            painting::paint(&painter, move |number, width, height, planes| {
                picture.paint(number, width, height, planes);
            });
        }
        self.raw.feed_from(&sink, || {});
        self.timing.apply(&pipeline);
        let (tell, bus) = mpsc::unbounded_channel();
        pipeline::watch_bus(&pipeline, move |event| {
            // The receiver is gone once the device is closed: nothing to tell then.
            let _ = tell.send(event);
        });
        let first_sample = first_buffer(&sink);
        let mut opened = Opened {
            pipeline,
            gate,
            device: line.device.clone(),
            line,
            bus,
            first_sample,
        };
        match pipeline::set_state(&opened.pipeline, gst::State::Playing, FIRST_SAMPLE_TIMEOUT).await
        {
            Ok(()) => Ok(opened),
            Err(state) => {
                let said = match opened.bus.try_recv() {
                    Ok(BusEvent::Failed(failure)) => CaptureError::Failed(failure),
                    _ => CaptureError::State(state),
                };
                pipeline::close(opened.pipeline, "capture").await;
                Err(said)
            }
        }
    }

    /// Gate, confirmation, device: each is reported when it is true.
    async fn close(&mut self) {
        self.lost = false;
        self.raw.set_shut(true);
        self.drop_placeholder().await;
        let Some(opened) = &self.opened else {
            return self.tell(String::new(), false, false, None);
        };
        let device = opened.device.clone();
        opened.gate.set_property("drop", true);
        let confirmed = confirm_idle(&opened.gate).await && opened.gate.property::<bool>("drop");
        self.flowing = !confirmed;
        self.tell(device.clone(), true, !confirmed, None);
        let closed = self.close_device().await;
        let error = (!closed).then(|| format!("{device} does not close"));
        self.tell(device, !closed, false, error);
    }

    async fn close_device(&mut self) -> bool {
        self.flowing = false;
        self.raw.set_shut(true);
        match self.opened.take() {
            Some(opened) => pipeline::close(opened.pipeline, "capture").await,
            None => true,
        }
    }

    /// The device does not work any more. One that did is waited for, and a still picture takes a camera's place.
    async fn fail(&mut self, error: CaptureError) {
        let (device, placeholder) = self
            .opened
            .as_ref()
            .map(|opened| (opened.device.clone(), opened.line.placeholder))
            .unwrap_or_default();
        self.lost |= self.flowing && self.source.returns();
        let closed = self.close_device().await;
        self.hold_the_place(placeholder).await;
        self.tell(device, !closed, false, Some(error.to_string()));
    }

    /// Shows the picture in place of a lost camera's.
    async fn hold_the_place(&mut self, encoding: Option<VideoEncoding>) {
        let Some(encoding) = encoding.filter(|_| self.lost) else {
            return;
        };
        if self
            .placeholder
            .as_ref()
            .is_some_and(|shown| shown.encoding == encoding)
        {
            return;
        }
        self.drop_placeholder().await;
        match Placeholder::start(encoding, &self.raw, &self.timing) {
            Ok(placeholder) => self.placeholder = Some(placeholder),
            Err(error) => tracing::error!(%error, "no picture in place of the camera's"),
        }
        self.raw.set_shut(false);
    }

    async fn drop_placeholder(&mut self) {
        if let Some(placeholder) = self.placeholder.take() {
            placeholder.close().await;
        }
    }

    fn tell(&self, device: String, open: bool, flowing: bool, error: Option<String>) {
        if let Some(error) = &error {
            tracing::warn!(source = ?self.source, device, error, "a capture device does not work");
        }
        let report = CaptureReport {
            device,
            open,
            flowing,
            returning: self.lost && error.is_some(),
            error,
        };
        // The graph is gone when the engine stops: nobody to tell then.
        let _ = self.news.send(CaptureNews {
            source: self.source,
            report,
        });
    }
}

/// Waits for a failure of an open device; for ever while none is open.
async fn failure(opened: &mut Option<Opened>) -> CaptureError {
    match opened {
        Some(opened) => next_failure(&mut opened.bus).await,
        None => std::future::pending().await,
    }
}

async fn next_failure(bus: &mut mpsc::UnboundedReceiver<BusEvent>) -> CaptureError {
    match bus.recv().await {
        Some(BusEvent::Failed(failure)) => CaptureError::Failed(failure),
        Some(BusEvent::Ended) | None => CaptureError::Ended,
    }
}

/// Is notified when the first buffer arrives at `sink`.
fn first_buffer(sink: &gst_app::AppSink) -> Arc<Notify> {
    let first = Arc::new(Notify::new());
    let tell = Arc::clone(&first);
    if let Some(pad) = sink.static_pad("sink") {
        pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
            tell.notify_one();
            gst::PadProbeReturn::Remove
        });
    }
    first
}

/// Waits until no buffer is on its way through the gate.
async fn confirm_idle(gate: &gst::Element) -> bool {
    let Some(pad) = gate.static_pad("sink") else {
        return false;
    };
    let idle = Arc::new(Notify::new());
    let tell = Arc::clone(&idle);
    pad.add_probe(gst::PadProbeType::IDLE, move |_, _| {
        tell.notify_one();
        gst::PadProbeReturn::Remove
    });
    tokio::time::timeout(GATE_TIMEOUT, idle.notified())
        .await
        .is_ok()
}
