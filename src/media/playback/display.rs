//! The display: one canvas that is never black, remote pictures on it, text above them.

use std::collections::HashMap;

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use roomd_protocol::{ClientId, StreamId};
use tokio::sync::mpsc;

use super::{
    PlaybackError, Running,
    bus::{self, Failure},
    input::{CARDS, Card, Colour, Line, Picture},
    launch,
    layout::{self, Rect},
    sink, text,
};
use crate::scene::{Scene, Tile};

/// One pipeline from the remote pictures to the screen. It runs from [`Display::open`] to [`Display::close`].
///
/// Operations block for a few milliseconds at most; none may be called from a streaming thread.
pub struct Display {
    running: Running,
    input_latency: gst::ClockTime,
    mixer: gst::Element,
    sink: String,
    size: (u32, u32),
    background: Card,
    title: Line,
    status: Line,
    message: Line,
    notice: Line,
    pictures: HashMap<(ClientId, StreamId), Picture>,
    cards: Vec<Card>,
    scene: Scene,
    inputs_made: u32,
    errors: mpsc::Receiver<Failure>,
}

impl Display {
    /// Opens the display and shows an empty room at once. `size` is the canvas in pixels (at least 320 by 180,
    /// made even). `clock` and `base_time` are those of the receiving pipelines,
    /// `input_latency` is [`super::input_latency`] of their jitter buffers.
    ///
    /// `Ok(None)`: no display is wanted.
    ///
    /// # Errors
    /// The display cannot be opened, `Auto` found none, or the plugins are not installed.
    pub fn open(
        wanted: &crate::settings::DisplaySink,
        size: (u32, u32),
        clock: &gst::Clock,
        base_time: gst::ClockTime,
        input_latency: gst::ClockTime,
    ) -> Result<Option<Self>, PlaybackError> {
        gst::init().map_err(PlaybackError::Initialise)?;
        let Some(opened) = sink::display(wanted)? else {
            return Ok(None);
        };
        let size = (
            size.0.max(layout::SMALLEST_SCREEN.0) & !1,
            size.1.max(layout::SMALLEST_SCREEN.1) & !1,
        );
        let pipeline = launch::DISPLAY.pipeline(&[
            ("width", size.0.to_string()),
            ("height", size.1.to_string()),
            ("fps", FRAMES_PER_SECOND.to_string()),
            ("input_latency_ns", input_latency.nseconds().to_string()),
        ])?;
        let element = |name| launch::DISPLAY.element(&pipeline, name);
        let (mixer, out) = (element("mix")?, element("out")?);
        let (title, status, message, notice) = (
            Line::new(element("title")?),
            Line::new(element("status")?),
            Line::new(element("message")?),
            Line::new(element("notice")?),
        );
        super::link_sink(&out, &opened.element, "display")?;
        // The background is a live input from the beginning: its latency is found.
        let running = Running::new(pipeline, "display", clock, base_time, None);
        let errors = bus::errors_of(&running.pipeline, "display")?;
        let background = Card::add(&running, &mixer, 0)?;
        let mut display = Self {
            running,
            input_latency,
            mixer,
            sink: opened.name,
            size,
            background,
            title,
            status,
            message,
            notice,
            pictures: HashMap::new(),
            cards: Vec::new(),
            scene: Scene::default(),
            inputs_made: 0,
            errors,
        };
        display.start()?;
        Ok(Some(display))
    }

    /// The sink in use, for the status and the log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.sink
    }

    /// A place to push one remote stream's decoded frames: raw video of any format and size, timestamps in running
    /// time of the shared clock, caps set on the source or with each sample. It holds two frames and drops the
    /// oldest. Frames may stop for as long as they like. A second call for a stream replaces its input.
    ///
    /// # Errors
    /// The pipeline refuses another input; the others go on.
    pub fn video_input(
        &mut self,
        peer: &ClientId,
        stream: &StreamId,
    ) -> Result<gst_app::AppSrc, PlaybackError> {
        self.remove_input(peer, stream);
        let picture = Picture::add(
            &self.running,
            &self.mixer,
            self.input_latency,
            self.inputs_made,
        )?;
        self.inputs_made = self.inputs_made.wrapping_add(1) % 1_000_000;
        let source = picture.source();
        self.pictures
            .insert((peer.clone(), stream.clone()), picture);
        self.arrange();
        Ok(source)
    }

    /// Takes a stream's picture away; its name stays as long as the scene has it. Unknown streams are none.
    pub fn remove_input(&mut self, peer: &ClientId, stream: &StreamId) {
        if let Some(picture) = self.pictures.remove(&(peer.clone(), stream.clone())) {
            picture.remove();
        }
    }

    /// Shows the scene: only what changed is drawn again.
    pub fn show(&mut self, scene: &Scene) {
        if self.scene != *scene {
            self.scene = scene.clone();
            self.arrange();
        }
    }

    /// The next thing that went wrong while running; waits until there is one. After [`PlaybackError::Input`] remove
    /// that input and add it again; after anything else close this display and open another. May be dropped while it
    /// waits.
    pub async fn next_error(&mut self) -> PlaybackError {
        // The bus, which holds the other end, lives as long as the pipeline: without it there is never another error.
        while let Some(failure) = self.errors.recv().await {
            let streams = self
                .pictures
                .iter()
                .map(|(of, picture)| (of, picture.name()));
            let others = std::iter::once(&self.background)
                .chain(&self.cards)
                .map(Card::name);
            if let Some(error) = super::meaning(failure, streams, others) {
                return error;
            }
        }
        std::future::pending().await
    }

    /// Ends the pipeline and gives the screen back.
    pub async fn close(self) {
        self.running.stop().await;
    }

    fn start(&mut self) -> Result<(), PlaybackError> {
        let margin = self.size.1 / 60;
        self.title.set_padding(margin, margin);
        self.status.set_padding(margin, margin);
        let below_the_title = layout::title_height(self.size.1) + margin;
        self.notice.set_padding(margin, below_the_title);
        self.arrange();
        self.running.start(&mut self.errors)
    }

    /// Brings everything on the canvas to what the scene says.
    fn arrange(&mut self) {
        if let Err(error) = self.try_arrange() {
            // The picture of before stays; the same would happen again at once.
            tracing::error!(%error, "scene not shown");
        }
    }

    fn try_arrange(&mut self) -> Result<(), PlaybackError> {
        let size = self.size;
        let now = self
            .running
            .pipeline
            .current_running_time()
            .unwrap_or_default();
        let canvas = Rect {
            x: 0,
            y: 0,
            width: size.0,
            height: size.1,
        };
        self.background.show(canvas, 1.0, BACKGROUND, "", now)?;
        self.write(size);

        let (presentations, cameras): (Vec<Tile>, Vec<Tile>) = self
            .scene
            .tiles
            .iter()
            .cloned()
            .partition(|tile| tile.presentation);
        let places = layout::arrange(size, presentations.len(), cameras.len());
        let tiles: Vec<Tile> = presentations.into_iter().chain(cameras).collect();
        let alpha = if self.scene.message.is_some() {
            DIMMED
        } else {
            1.0
        };

        while self.cards.len() > tiles.len() {
            if let Some(card) = self.cards.pop() {
                card.remove();
            }
        }
        while self.cards.len() < tiles.len() {
            let zorder = CARDS + u32::try_from(self.cards.len()).unwrap_or_default();
            self.cards
                .push(Card::add(&self.running, &self.mixer, zorder)?);
        }
        let mut shown = Vec::new();
        for ((tile, place), card) in tiles.iter().zip(places).zip(&mut self.cards) {
            card.show(
                place,
                alpha,
                colour_of(&tile.peer),
                &text::plain(&tile.label),
                now,
            )?;
            let Some(key) = tile
                .stream
                .clone()
                .map(|stream| (tile.peer.clone(), stream))
            else {
                continue;
            };
            if !tile.video_off
                && let Some(picture) = self.pictures.get_mut(&key)
            {
                picture.show(place, alpha, &tile.label);
                shown.push(key);
            }
        }
        for (key, picture) in &self.pictures {
            if !shown.contains(key) {
                picture.hide();
            }
        }
        Ok(())
    }

    /// The texts above the pictures.
    fn write(&mut self, size: (u32, u32)) {
        let (width, height) = size;
        let font = (height / 24).max(12);
        let line =
            |words: &str| text::shorten(&text::plain(words), text::columns(width * 95 / 100, font));
        self.title.set(&line(&self.scene.title), font);
        self.status.set(&line(&self.scene.status), font);
        let words = match &self.scene.message {
            Some(message) => message.as_str(),
            None if self.scene.tiles.is_empty() => NOBODY,
            None => "",
        };
        let message = text::message(words, size);
        self.message.set(&message.lines.join("\n"), message.font);
        let font = (height / 20).max(12);
        let mut lines = text::wrap(
            self.scene.notice.as_deref().unwrap_or_default(),
            text::columns(width * 90 / 100, font),
        );
        lines.truncate(NOTICE_LINES);
        self.notice.set(&lines.join("\n"), font);
    }
}

/// How many lines of a notice are shown: the pictures below it matter too.
const NOTICE_LINES: usize = 4;
/// What is said where there is neither a picture nor a message.
const NOBODY: &str = "Nobody else is here yet";
const FRAMES_PER_SECOND: u32 = 30;
/// How much of the pictures shows behind a message.
const DIMMED: f64 = 0.15;
/// A dark blue-grey, clearly not a screen that is off.
const BACKGROUND: Colour = Colour::rgb(24, 34, 48);
/// Calm colours for the cards, all dark enough for light letters.
const CARD_COLOURS: [Colour; 6] = [
    Colour::rgb(44, 82, 110),
    Colour::rgb(58, 88, 74),
    Colour::rgb(92, 74, 104),
    Colour::rgb(106, 78, 62),
    Colour::rgb(52, 92, 98),
    Colour::rgb(84, 84, 60),
];

/// The same colour for the same participant.
fn colour_of(peer: &ClientId) -> Colour {
    let sum: usize = peer.as_str().bytes().map(usize::from).sum();
    CARD_COLOURS[sum % CARD_COLOURS.len()]
}
