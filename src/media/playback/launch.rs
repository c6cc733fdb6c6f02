//! The descriptions in `pipelines/playback`, with their placeholders filled in.

use gst::prelude::*;
use gstreamer as gst;

use super::PlaybackError;

/// A description and the name it is reported by.
pub(super) struct Description {
    file: &'static str,
    text: &'static str,
}

/// The canvas, its lines of text and the way to the sink.
pub(super) const DISPLAY: Description = Description {
    file: "pipelines/playback/display.launch",
    text: include_str!("../../../pipelines/playback/display.launch"),
};
/// One remote picture.
pub(super) const DISPLAY_INPUT: Description = Description {
    file: "pipelines/playback/display-input.launch",
    text: include_str!("../../../pipelines/playback/display-input.launch"),
};
/// One still: a name on a colour.
pub(super) const DISPLAY_CARD: Description = Description {
    file: "pipelines/playback/display-card.launch",
    text: include_str!("../../../pipelines/playback/display-card.launch"),
};
/// The mix and the volume.
pub(super) const SPEAKER: Description = Description {
    file: "pipelines/playback/speaker.launch",
    text: include_str!("../../../pipelines/playback/speaker.launch"),
};
/// One remote sound.
pub(super) const SPEAKER_INPUT: Description = Description {
    file: "pipelines/playback/speaker-input.launch",
    text: include_str!("../../../pipelines/playback/speaker-input.launch"),
};

impl Description {
    /// The text with `{name}` replaced by its value.
    pub(super) fn filled(&self, values: &[(&str, String)]) -> String {
        values
            .iter()
            .fold(self.text.to_owned(), |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), value)
            })
    }

    /// A pipeline of its own.
    pub(super) fn pipeline(
        &self,
        values: &[(&str, String)],
    ) -> Result<gst::Pipeline, PlaybackError> {
        gst::parse::launch(&self.filled(values))
            .map_err(|source| PlaybackError::Launch {
                file: self.file,
                source,
            })?
            .downcast::<gst::Pipeline>()
            .map_err(|element| {
                PlaybackError::pipeline(self.file, "making a pipeline", element.name())
            })
    }

    /// A bin to be added to a pipeline, without open ends.
    pub(super) fn bin(&self, values: &[(&str, String)]) -> Result<gst::Bin, PlaybackError> {
        let text = self.filled(values);
        // On a thread of its own: Pango has one font map per thread, a text overlay takes that of the thread that
        // makes it, and draws in another. Two overlays must not share one.
        std::thread::scope(|scope| {
            scope
                .spawn(|| gst::parse::bin_from_description(&text, false))
                .join()
        })
        .map_err(|_| PlaybackError::pipeline(self.file, "making a bin", "the thread panicked"))?
        .map_err(|source| PlaybackError::Launch {
            file: self.file,
            source,
        })
    }

    /// The element called `name` in a bin made from this.
    pub(super) fn element(
        &self,
        bin: &impl IsA<gst::Bin>,
        name: &str,
    ) -> Result<gst::Element, PlaybackError> {
        bin.by_name(name)
            .ok_or_else(|| PlaybackError::pipeline(self.file, "looking for an element", name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_placeholder_of_every_description_is_filled() {
        let values: Vec<(&str, String)> = ["input_latency_ns", "width", "height", "fps"]
            .into_iter()
            .map(|name| (name, "64".to_owned()))
            .chain([("tile_caps", "video/x-raw,width=64,height=64".to_owned())])
            .collect();
        gst::init().unwrap();
        for description in [DISPLAY, DISPLAY_INPUT, DISPLAY_CARD, SPEAKER, SPEAKER_INPUT] {
            let text = description.filled(&values);
            assert!(!text.contains('{'), "{}: {text}", description.file);
            description.bin(&values).unwrap();
        }
    }
}
