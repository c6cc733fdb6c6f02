//! Which sink is there: tried, not guessed, and said why not.

use std::{env, fs};

use gst::prelude::*;
use gstreamer as gst;

use super::PlaybackError;
use crate::settings::{AudioSink, DisplaySink};

/// A sink that could be opened, and how to call it in a log or a status.
pub(super) struct Opened {
    pub(super) element: gst::Element,
    pub(super) name: String,
}

struct Candidate {
    factory: &'static str,
    package: &'static str,
    properties: &'static [(&'static str, &'static str)],
    /// The state in which the element opens its device.
    opens_at: gst::State,
    remedy: &'static str,
}

const WAYLAND: Candidate = Candidate {
    factory: "waylandsink",
    package: "gstreamer1.0-plugins-bad",
    properties: &[("fullscreen", "true")],
    opens_at: gst::State::Ready,
    remedy: "set WAYLAND_DISPLAY and XDG_RUNTIME_DIR to those of a running compositor, or choose another display",
};
const X11: Candidate = Candidate {
    factory: "ximagesink",
    package: "gstreamer1.0-x",
    properties: &[("handle-events", "false")],
    opens_at: gst::State::Ready,
    remedy: "set DISPLAY to that of a running X server that lets this user in, or choose another display",
};
const KMS: Candidate = Candidate {
    factory: "kmssink",
    package: "gstreamer1.0-plugins-bad",
    properties: &[],
    // It opens the card when it starts.
    opens_at: gst::State::Paused,
    remedy: "connect a screen, put this user into the group video and end other programs that own the screen",
};

/// Opens the display that is wanted; with `Auto` the first that can be opened. `None` when none is wanted.
pub(super) fn display(wanted: &DisplaySink) -> Result<Option<Opened>, PlaybackError> {
    match wanted {
        DisplaySink::None => Ok(None),
        DisplaySink::Wayland => WAYLAND.open().map(Some),
        DisplaySink::X11 => X11.open().map(Some),
        DisplaySink::Kms => KMS.open().map(Some),
        DisplaySink::Auto => first_usable([
            (is_set("WAYLAND_DISPLAY"), WAYLAND),
            (is_set("DISPLAY"), X11),
            (has_graphics_card(), KMS),
        ])
        .map(Some),
    }
}

/// Opens the speaker that is wanted; with `Auto` ALSA's default. `None` when none is wanted.
pub(super) fn speaker(wanted: &AudioSink) -> Result<Option<Opened>, PlaybackError> {
    match wanted {
        AudioSink::None => Ok(None),
        AudioSink::Alsa(device) => alsa(device).map(Some),
        AudioSink::Auto => match alsa("default") {
            Ok(opened) => Ok(Some(opened)),
            Err(reason) => Err(PlaybackError::NothingThere {
                what: "speaker",
                tried: reason.to_string(),
            }),
        },
    }
}

impl Candidate {
    fn open(&self) -> Result<Opened, PlaybackError> {
        let element = make(self.factory, self.package)?;
        for (property, value) in self.properties {
            if element.has_property(property) {
                element.set_property_from_str(property, value);
            }
        }
        try_open(&element, self.factory, self.opens_at, self.remedy)?;
        Ok(Opened {
            element,
            name: self.factory.to_owned(),
        })
    }
}

/// What lies in the sound card's buffer: what conversation can bear, and small devices can hold.
pub(super) const SPEAKER_BUFFER: gst::ClockTime = gst::ClockTime::from_mseconds(60);

fn alsa(device: &str) -> Result<Opened, PlaybackError> {
    let element = make("alsasink", "gstreamer1.0-alsa")?;
    element.set_property("device", device);
    // Microseconds.
    let buffer_time = i64::try_from(SPEAKER_BUFFER.useconds()).unwrap_or(i64::MAX);
    element.set_property("buffer-time", buffer_time);
    element.set_property("latency-time", 10_000_i64);
    // The clock is everybody's, not the sound card's: the sink follows it.
    element.set_property("provide-clock", false);
    let name = format!("alsasink {device}");
    try_open(
        &element,
        &name,
        gst::State::Ready,
        "choose a PCM from `aplay -L`, put this user into the group audio and end other programs that own it",
    )?;
    Ok(Opened { element, name })
}

fn make(factory: &'static str, package: &'static str) -> Result<gst::Element, PlaybackError> {
    gst::ElementFactory::make(factory)
        .build()
        .map_err(|_| PlaybackError::MissingElement {
            element: factory,
            package,
        })
}

/// Brings the sink to the state in which it opens its device, and back.
fn try_open(
    element: &gst::Element,
    name: &str,
    opens_at: gst::State,
    remedy: &'static str,
) -> Result<(), PlaybackError> {
    let bus = gst::Bus::new();
    element.set_bus(Some(&bus));
    let opened = element.set_state(opens_at);
    let reason = bus
        .pop_filtered(&[gst::MessageType::Error])
        .and_then(|message| match message.view() {
            gst::MessageView::Error(error) => Some(error.error().to_string()),
            _ => None,
        });
    let closed = element.set_state(gst::State::Null);
    element.set_bus(None);
    opened
        .and(closed)
        .map(drop)
        .map_err(|error| PlaybackError::Unusable {
            sink: name.to_owned(),
            reason: reason.unwrap_or_else(|| error.to_string()),
            remedy,
        })
}

fn first_usable(candidates: [(bool, Candidate); 3]) -> Result<Opened, PlaybackError> {
    let mut tried = Vec::new();
    for (is_there, candidate) in candidates {
        if !is_there {
            continue;
        }
        match candidate.open() {
            Ok(opened) => return Ok(opened),
            Err(reason) => tried.push(reason.to_string()),
        }
    }
    if tried.is_empty() {
        tried.push(
            "neither WAYLAND_DISPLAY nor DISPLAY is set and there is no /dev/dri/card*".to_owned(),
        );
    }
    Err(PlaybackError::NothingThere {
        what: "display",
        tried: tried.join("; "),
    })
}

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| !value.is_empty())
}

fn has_graphics_card() -> bool {
    let Ok(entries) = fs::read_dir("/dev/dri") else {
        return false; // No such folder: no card.
    };
    entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with("card"))
}
