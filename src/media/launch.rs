//! Launch lines as data: placeholders filled, then parsed into a pipeline. A wrong line is an error
//! that names it, never a panic.

use gst::prelude::*;
use gstreamer as gst;

/// Why a launch line could not become a pipeline.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The line asks for a value that nobody gives.
    #[error("the launch line `{line}` has the unknown placeholder {{{name}}}; known are: {known}")]
    UnknownPlaceholder {
        /// The line.
        line: String,
        /// The placeholder.
        name: String,
        /// What may be used.
        known: String,
    },
    /// A `{` without its `}`.
    #[error("the launch line `{line}` has a `{{` that is never closed")]
    Unclosed {
        /// The line.
        line: String,
    },
    /// GStreamer does not accept it: a missing element, a wrong property or value.
    #[error("GStreamer does not accept the launch line `{line}`: {source}")]
    Parse {
        /// The line with its values.
        line: String,
        /// What GStreamer says.
        source: gst::glib::Error,
    },
    /// The line is accepted but lacks a named element that the graph needs.
    #[error("the launch line `{line}` has no element called \"{name}\" of the expected type")]
    MissingElement {
        /// The line.
        line: String,
        /// Name of the element.
        name: &'static str,
    },
}

/// Replaces every `{name}` by its value and leaves comment lines (`#`) out.
pub(crate) fn fill(template: &str, values: &[(&str, String)]) -> Result<String, LaunchError> {
    let line = template
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect::<Vec<_>>()
        .join(" ");
    let mut filled = String::with_capacity(line.len());
    let mut rest = line.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            return Err(LaunchError::Unclosed { line: line.clone() });
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => filled.push_str(value),
            None => {
                return Err(LaunchError::UnknownPlaceholder {
                    name: name.to_owned(),
                    known: values
                        .iter()
                        .map(|(known, _)| *known)
                        .collect::<Vec<_>>()
                        .join(", "),
                    line,
                });
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// A value from outside as the launch syntax wants it: in quotes, with quotes and backslashes escaped.
pub(crate) fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Parses a filled line into a pipeline of its own.
pub(crate) fn pipeline(line: &str) -> Result<gst::Pipeline, LaunchError> {
    let element =
        gst::parse::launch_full(line, None, gst::ParseFlags::FATAL_ERRORS).map_err(|source| {
            LaunchError::Parse {
                line: line.to_owned(),
                source,
            }
        })?;
    match element.downcast::<gst::Pipeline>() {
        Ok(pipeline) => Ok(pipeline),
        Err(element) => {
            let pipeline = gst::Pipeline::new();
            pipeline
                .add(&element)
                .map_err(|_| LaunchError::MissingElement {
                    line: line.to_owned(),
                    name: "pipeline",
                })?;
            Ok(pipeline)
        }
    }
}

/// Parses a filled line into a bin whose open ends are its pads.
pub(crate) fn bin(line: &str) -> Result<gst::Bin, LaunchError> {
    gst::parse::bin_from_description_full(line, true, None, gst::ParseFlags::FATAL_ERRORS)
        .map_err(|source| LaunchError::Parse {
            line: line.to_owned(),
            source,
        })
        .and_then(|bin| {
            bin.downcast::<gst::Bin>()
                .map_err(|_| LaunchError::MissingElement {
                    line: line.to_owned(),
                    name: "bin",
                })
        })
}

/// The element of a pipeline by name and type.
pub(crate) fn named<T: IsA<gst::Element>>(
    pipeline: &gst::Pipeline,
    line: &str,
    name: &'static str,
) -> Result<T, LaunchError> {
    pipeline
        .by_name(name)
        .and_then(|element| element.downcast::<T>().ok())
        .ok_or_else(|| LaunchError::MissingElement {
            line: line.to_owned(),
            name,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_comments_left_out() {
        let values = [("device", quoted("hw:1,0")), ("fps", "30".to_owned())];
        assert_eq!(
            fill(
                "# what it is\nsrc device={device}\n! caps,framerate={fps}/1\n",
                &values
            )
            .unwrap(),
            "src device=\"hw:1,0\" ! caps,framerate=30/1"
        );
    }

    #[test]
    fn an_unknown_placeholder_is_named_together_with_the_known_ones() {
        let error = fill("src a={bitrat}", &[("bitrate", "1".to_owned())])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("{bitrat}") && error.contains("known are: bitrate"),
            "{error}"
        );
    }

    #[test]
    fn an_open_brace_is_an_error() {
        assert!(matches!(
            fill("src a={b", &[]),
            Err(LaunchError::Unclosed { .. })
        ));
    }

    #[test]
    fn a_device_name_cannot_end_its_quotes() {
        gst::init().unwrap();
        let line = fill(
            "fakesrc name={device} ! fakesink",
            &[("device", quoted(r#"a" ! filesink location="/tmp/x"#))],
        )
        .unwrap();
        let pipeline = pipeline(&line).unwrap();
        assert_eq!(pipeline.children().len(), 2);
    }

    #[test]
    fn a_missing_element_is_an_error_that_names_the_line() {
        gst::init().unwrap();
        let error = pipeline("nosuchsrc ! fakesink").unwrap_err().to_string();
        assert!(error.contains("nosuchsrc"), "{error}");
    }
}
