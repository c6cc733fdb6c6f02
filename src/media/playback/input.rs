//! Branches that come and go while a mixer runs: pictures, stills and sounds.

use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;

use super::{
    PlaybackError, Running,
    launch::{self, Description},
    layout::Rect,
    text,
};

/// A source of buffers linked to a request pad of a mixer.
pub(super) struct Branch {
    pub(super) bin: gst::Bin,
    pub(super) source: gst_app::AppSrc,
    pub(super) pad: gst::Pad,
    pipeline: gst::Pipeline,
    mixer: gst::Element,
}

impl Branch {
    /// Adds the branch to the running pipeline. `prepare` sets the mixer's pad before the first buffer.
    pub(super) fn add(
        running: &Running,
        mixer: &gst::Element,
        description: &Description,
        values: &[(&str, String)],
        prepare: impl FnOnce(&gst::Pad),
    ) -> Result<Self, PlaybackError> {
        let bin = description.bin(values)?;
        let source = description.element(&bin, "input")?;
        let source = source.downcast::<gst_app::AppSrc>().map_err(|element| {
            PlaybackError::pipeline("playback", "taking an appsrc", element.name())
        })?;
        // Only this end is opened: the text pad of an overlay stays alone, or it would wait for text there.
        let output = bin
            .find_unlinked_pad(gst::PadDirection::Src)
            .and_then(|end| gst::GhostPad::with_target(&end).ok())
            .filter(|output| bin.add_pad(output).is_ok())
            .ok_or_else(|| {
                PlaybackError::pipeline("playback", "linking an input", "it has no open end")
            })?;
        let pad = mixer
            .request_pad_simple("sink_%u")
            .ok_or_else(|| PlaybackError::pipeline("playback", "requesting a pad", mixer.name()))?;
        prepare(&pad);
        let branch = Self {
            bin,
            source,
            pad,
            pipeline: running.pipeline.clone(),
            mixer: mixer.clone(),
        };
        let added = running
            .pipeline
            .add(&branch.bin)
            .map_err(|error| PlaybackError::pipeline("playback", "adding an input", error))
            .and_then(|()| {
                output
                    .link(&branch.pad)
                    .map_err(|error| PlaybackError::pipeline("playback", "linking an input", error))
            })
            .and_then(|_| {
                branch.bin.sync_state_with_parent().map_err(|error| {
                    PlaybackError::pipeline("playback", "starting an input", error)
                })
            });
        match added {
            Ok(()) => Ok(branch),
            Err(error) => {
                branch.remove();
                Err(error)
            }
        }
    }

    /// From now on timestamps at the source are everybody's running time, not this pipeline's.
    pub(super) fn take_running_time_of_all(&self, running: &Running) {
        let Some(pad) = self.source.static_pad("src") else {
            return;
        };
        pad.set_offset(-i64::try_from(running.begins.nseconds()).unwrap_or(i64::MAX));
    }

    /// Takes the branch out without a word to the other inputs. Not to be called from a streaming thread.
    pub(super) fn remove(self) {
        // First wake a thread that waits in the mixer, so that the branch can stop: it sees "flushing", which is
        // no error, and not "not linked", which is one.
        if let Err(error) = self.pad.set_active(false) {
            tracing::warn!(%error, pad = %self.pad.name(), "input not deactivated");
        }
        if let Err(error) = self.bin.set_state(gst::State::Null) {
            tracing::warn!(%error, input = %self.bin.name(), "input not stopped");
        }
        if self.bin.parent().is_some()
            && let Err(error) = self.pipeline.remove(&self.bin)
        {
            tracing::warn!(%error, input = %self.bin.name(), "input not removed");
        }
        self.mixer.release_request_pad(&self.pad);
    }
}

/// A line of text, set only when it changes: Pango draws it again each time.
pub(super) struct Line {
    overlay: gst::Element,
    shown: Option<(String, u32)>,
}

impl Line {
    pub(super) fn new(overlay: gst::Element) -> Self {
        overlay.set_property("silent", true);
        Self {
            overlay,
            shown: None,
        }
    }

    /// Shows `text` (not markup; may have several lines) in letters of `font` pixels.
    pub(super) fn set(&mut self, text: &str, font: u32) {
        let wanted = (text.to_owned(), font);
        if self.shown.as_ref() == Some(&wanted) {
            return;
        }
        // The font goes with the text. The property `font-desc` would change the layout under the thread that is
        // drawing it, which crashes in Pango; the text is copied under a lock.
        let escaped = text::markup(text);
        self.overlay.set_property(
            "text",
            format!("<span font=\"Sans Semi-Bold {font}px\">{escaped}</span>"),
        );
        self.overlay.set_property("silent", text.is_empty());
        self.shown = Some(wanted);
    }

    /// Distance from the edge of the picture in pixels.
    pub(super) fn set_padding(&self, x: u32, y: u32) {
        self.overlay
            .set_property("xpad", i32::try_from(x).unwrap_or_default());
        self.overlay
            .set_property("ypad", i32::try_from(y).unwrap_or_default());
    }
}

/// One remote picture.
pub(super) struct Picture {
    branch: Branch,
    size: gst::Element,
    label: Line,
    place: Rect,
}

impl Picture {
    /// A picture that is not shown until [`Picture::show`].
    pub(super) fn add(
        running: &Running,
        mixer: &gst::Element,
        latency: gst::ClockTime,
        number: u32,
    ) -> Result<Self, PlaybackError> {
        let place = Rect {
            x: 0,
            y: 0,
            width: 64,
            height: 36,
        };
        let values = [
            ("input_latency_ns", latency.nseconds().to_string()),
            ("tile_caps", tile_caps(place)),
        ];
        let branch = Branch::add(running, mixer, &launch::DISPLAY_INPUT, &values, |pad| {
            pad.set_property("alpha", 0.0);
            pad.set_property("zorder", number.saturating_add(PICTURES));
        })?;
        branch.take_running_time_of_all(running);
        let size = launch::DISPLAY_INPUT.element(&branch.bin, "size")?;
        let label = Line::new(launch::DISPLAY_INPUT.element(&branch.bin, "label")?);
        Ok(Self {
            branch,
            size,
            label,
            place,
        })
    }

    pub(super) fn source(&self) -> gst_app::AppSrc {
        self.branch.source.clone()
    }

    pub(super) fn show(&mut self, place: Rect, alpha: f64, label: &str) {
        if self.place != place {
            self.size.set_property_from_str("caps", &tile_caps(place));
            self.place = place;
        }
        set_place(&self.branch.pad, place, alpha);
        let font = label_font(place);
        self.label.set_padding(font / 2, font / 2);
        self.label.set(
            &text::shorten(&text::plain(label), text::columns(place.width, font)),
            font,
        );
    }

    /// Its place in the pipeline, as errors call it.
    pub(super) fn name(&self) -> gst::glib::GString {
        self.branch.bin.name()
    }

    pub(super) fn hide(&self) {
        self.branch.pad.set_property("alpha", 0.0);
    }

    pub(super) fn remove(self) {
        self.branch.remove();
    }
}

/// A still: one colour, a name in its middle.
pub(super) struct Card {
    branch: Branch,
    line: Line,
    shown: Option<(Rect, Colour, String)>,
}

impl Card {
    pub(super) fn add(
        running: &Running,
        mixer: &gst::Element,
        zorder: u32,
    ) -> Result<Self, PlaybackError> {
        let values = [("input_latency_ns", "0".to_owned())];
        let branch = Branch::add(running, mixer, &launch::DISPLAY_CARD, &values, |pad| {
            pad.set_property("zorder", zorder);
        })?;
        let line = Line::new(launch::DISPLAY_CARD.element(&branch.bin, "label")?);
        Ok(Self {
            branch,
            line,
            shown: None,
        })
    }

    /// Shows the card. It is one frame, drawn again only when it changes.
    pub(super) fn show(
        &mut self,
        place: Rect,
        alpha: f64,
        colour: Colour,
        name: &str,
        now: gst::ClockTime,
    ) -> Result<(), PlaybackError> {
        set_place(&self.branch.pad, place, alpha);
        let wanted = (place, colour, name.to_owned());
        if self.shown.as_ref() == Some(&wanted) {
            return Ok(());
        }
        let font = (place.height / 6).clamp(14, 90);
        let columns = text::columns(place.width * 9 / 10, font);
        self.line.set(&text::wrap(name, columns).join("\n"), font);
        let frame = solid(place, colour, now)?;
        self.branch
            .source
            .push_sample(&frame)
            .map_err(|error| PlaybackError::pipeline("display", "showing a card", error))?;
        self.shown = Some(wanted);
        Ok(())
    }

    /// Its place in the pipeline, as errors call it.
    pub(super) fn name(&self) -> gst::glib::GString {
        self.branch.bin.name()
    }

    pub(super) fn remove(self) {
        self.branch.remove();
    }
}

/// A colour as BT.709 luma and chroma in studio range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour {
    y: u8,
    u: u8,
    v: u8,
}

impl Colour {
    /// From 8-bit R, G, B (ITU-R BT.709-6 §3).
    pub(super) const fn rgb(red: i32, green: i32, blue: i32) -> Self {
        let y = 16 + (46_559 * red + 156_629 * green + 15_812 * blue) / 255_000;
        let u = 128 + (-25_664 * red - 86_336 * green + 112_000 * blue) / 255_000;
        let v = 128 + (112_000 * red - 101_730 * green - 10_270 * blue) / 255_000;
        Self {
            y: y as u8,
            u: u as u8,
            v: v as u8,
        }
    }
}

/// The cards' place in the stack: below every picture, so that a name stands where no frame has come yet.
pub(super) const CARDS: u32 = 10;
/// The first picture's place in the stack.
const PICTURES: u32 = 10_000;

fn set_place(pad: &gst::Pad, place: Rect, alpha: f64) {
    for (property, value) in [
        ("xpos", place.x),
        ("ypos", place.y),
        ("width", place.width),
        ("height", place.height),
    ] {
        pad.set_property(property, i32::try_from(value).unwrap_or_default());
    }
    pad.set_property("alpha", alpha);
}

fn label_font(place: Rect) -> u32 {
    (place.height / 14).clamp(18, 48)
}

fn tile_caps(place: Rect) -> String {
    format!(
        "video/x-raw,format=I420,width={},height={},pixel-aspect-ratio=1/1,colorimetry=(string)bt709",
        place.width, place.height
    )
}

/// One frame of one colour, without an end.
fn solid(place: Rect, colour: Colour, now: gst::ClockTime) -> Result<gst::Sample, PlaybackError> {
    let failed =
        |error: gst::glib::BoolError| PlaybackError::pipeline("display", "drawing a card", error);
    let info =
        gst_video::VideoInfo::builder(gst_video::VideoFormat::I420, place.width, place.height)
            .par(gst::Fraction::new(1, 1))
            .fps(gst::Fraction::new(0, 1))
            .colorimetry(&gst_video::VideoColorimetry::new(
                gst_video::VideoColorRange::Range16_235,
                gst_video::VideoColorMatrix::Bt709,
                gst_video::VideoTransferFunction::Bt709,
                gst_video::VideoColorPrimaries::Bt709,
            ))
            .build()
            .map_err(failed)?;
    let mut pixels = vec![colour.y; info.size()];
    let (u, v) = (info.offset()[1], info.offset()[2]);
    pixels[u..v].fill(colour.u);
    pixels[v..].fill(colour.v);
    let mut buffer = gst::Buffer::from_mut_slice(pixels);
    if let Some(buffer) = buffer.get_mut() {
        buffer.set_pts(now);
    }
    let caps = info.to_caps().map_err(failed)?;
    Ok(gst::Sample::builder().buffer(&buffer).caps(&caps).build())
}
