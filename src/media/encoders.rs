//! Which encoder, decoder and payloader is used: tables in `pipelines/`, tried from the top against
//! the registry of this machine.

use std::collections::BTreeMap;

use gstreamer as gst;
use serde::{Deserialize, Serialize};

use crate::{
    launch::{self, LaunchError},
    settings::VideoCodec,
};

const ENCODERS: &str = include_str!("../../pipelines/encoders.toml");
const DECODERS: &str = include_str!("../../pipelines/decoders.toml");
const PAYLOADERS: &str = include_str!("../../pipelines/payloaders.toml");
const DEPAYLOADERS: &str = include_str!("../../pipelines/depayloaders.toml");

/// A codec that is negotiated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// VP8.
    Vp8,
    /// H.264 constrained baseline.
    H264,
    /// Opus.
    Opus,
}

impl Codec {
    /// A codec of pictures.
    #[must_use]
    pub fn is_video(self) -> bool {
        self != Self::Opus
    }

    /// The name in a table and in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Vp8 => "vp8",
            Self::H264 => "h264",
            Self::Opus => "opus",
        }
    }
}

impl From<VideoCodec> for Codec {
    fn from(codec: VideoCodec) -> Self {
        match codec {
            VideoCodec::H264 => Self::H264,
            VideoCodec::Vp8 => Self::Vp8,
        }
    }
}

/// One line of a table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// How reports call it.
    pub(crate) name: String,
    /// Elements that must exist.
    pub(crate) elements: Vec<String>,
    /// The launch line with placeholders.
    pub(crate) launch: String,
    /// How the bitrate is changed while it runs.
    pub(crate) bitrate: Option<BitrateProperty>,
}

/// The property of the element "encoder" that holds its bitrate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BitrateProperty {
    pub(crate) property: String,
    pub(crate) unit: BitrateUnit,
}

/// What the encoder counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BitrateUnit {
    /// bit/s.
    Bps,
    /// kbit/s.
    Kbps,
}

/// A table of `pipelines/`.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Table(BTreeMap<Codec, Vec<Entry>>);

/// The entry in use, and why.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) entry: Entry,
    pub(crate) why: String,
}

/// A table cannot be read or has nothing for this machine.
#[derive(Debug, thiserror::Error)]
pub enum EncoderError {
    /// The file is wrong.
    #[error("pipelines/{file} cannot be read: {source}")]
    Table {
        /// Its name.
        file: &'static str,
        /// What is wrong.
        source: toml::de::Error,
    },
    /// No entry works here.
    #[error(
        "nothing for {codec} works on this machine: {tried}; install the GStreamer plugin of one of them"
    )]
    None {
        /// The codec.
        codec: &'static str,
        /// What was tried, each with its reason.
        tried: String,
    },
    /// The line of the entry is wrong.
    #[error(transparent)]
    Launch(#[from] LaunchError),
}

/// The tables.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    pub(crate) encoders: Table,
    pub(crate) decoders: Table,
    pub(crate) payloaders: Table,
    pub(crate) depayloaders: Table,
}

impl Tables {
    /// Reads the tables that are built in.
    pub(crate) fn built_in() -> Result<Self, EncoderError> {
        Ok(Self {
            encoders: Table::parse("encoders.toml", ENCODERS)?,
            decoders: Table::parse("decoders.toml", DECODERS)?,
            payloaders: Table::parse("payloaders.toml", PAYLOADERS)?,
            depayloaders: Table::parse("depayloaders.toml", DEPAYLOADERS)?,
        })
    }
}

impl Table {
    /// Reads a table.
    pub(crate) fn parse(file: &'static str, text: &str) -> Result<Self, EncoderError> {
        toml::from_str(text).map_err(|source| EncoderError::Table { file, source })
    }

    /// All entries for a codec, the preferred one first.
    pub(crate) fn entries(&self, codec: Codec) -> &[Entry] {
        self.0.get(&codec).map_or(&[], Vec::as_slice)
    }

    /// The first entry whose elements exist and that was not refused for a reason of its own.
    pub(crate) fn choose(
        &self,
        codec: Codec,
        refused: &[(String, String)],
        is_present: impl Fn(&str) -> bool,
    ) -> Result<Choice, EncoderError> {
        let mut passed_over = Vec::new();
        for entry in self.entries(codec) {
            if let Some((_, reason)) = refused.iter().find(|(name, _)| *name == entry.name) {
                passed_over.push(format!("{}: {reason}", entry.name));
            } else if let Some(missing) = entry.elements.iter().find(|name| !is_present(name)) {
                passed_over.push(format!("{}: no element {missing}", entry.name));
            } else {
                let why = if passed_over.is_empty() {
                    "first of the list".to_owned()
                } else {
                    format!("first that works; {}", passed_over.join(", "))
                };
                return Ok(Choice {
                    entry: entry.clone(),
                    why,
                });
            }
        }
        Err(EncoderError::None {
            codec: codec.name(),
            tried: passed_over.join(", "),
        })
    }
}

/// Whether this machine has an element.
pub(crate) fn is_present(element: &str) -> bool {
    gst::ElementFactory::find(element).is_some()
}

impl Entry {
    /// The launch line with its values.
    pub(crate) fn line(&self, values: &[(&str, String)]) -> Result<String, EncoderError> {
        Ok(launch::fill(&self.launch, values)?)
    }
}

/// The values of an encoder's placeholders.
pub(crate) fn encoder_values(bitrate: u32, fps: u32) -> [(&'static str, String); 4] {
    [
        ("bitrate_bps", bitrate.to_string()),
        ("bitrate_kbps", (bitrate / 1000).max(1).to_string()),
        ("fps", fps.to_string()),
        // Key frames come on request; this distance is the safety net (10 s).
        ("keyframe_frames", (fps.max(1) * 10).to_string()),
    ]
}

/// The camera's bitrate with `peers` connections, in bit/s: the caps of a Whereby room.
pub(crate) fn camera_bitrate(configured: u32, peers: usize) -> u32 {
    let cap = match peers {
        0 | 1 => return configured,
        2 => 384_000,
        3 => 256_000,
        4 => 192_000,
        5 | 6 => 128_000,
        _ => 64_000,
    };
    configured.min(cap)
}

#[cfg(test)]
mod tests;
