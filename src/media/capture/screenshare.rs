//! Where shared pictures come from: a configured source by name.

use super::{CaptureLine, camera, test_picture::TestPicture};
use crate::{
    devices::Device,
    launch::LaunchError,
    settings::{NamedVideoSource, VideoEncoding},
};

/// Why nothing can be shared.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ScreenshareError {
    #[error("no source for a screenshare is configured; add one under `media.screenshare`")]
    NoneConfigured,
    #[error("there is no source \"{name}\" for a screenshare; configured are: {known}")]
    Unknown { name: String, known: String },
    #[error("the source \"{0}\" gives no picture")]
    NoPicture(String),
    #[error(transparent)]
    Launch(#[from] LaunchError),
}

/// The line for a source by name, or for the first one.
pub(crate) fn line(
    name: Option<&str>,
    configured: &[NamedVideoSource],
    encoding: VideoEncoding,
    devices: &[Device],
) -> Result<CaptureLine, ScreenshareError> {
    let source = match name {
        None => configured.first().ok_or(ScreenshareError::NoneConfigured)?,
        Some(name) => configured
            .iter()
            .find(|source| source.name == name)
            .ok_or_else(|| ScreenshareError::Unknown {
                name: name.to_owned(),
                known: configured
                    .iter()
                    .map(|source| source.name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
            })?,
    };
    let mut line = camera::line(&source.source, encoding, TestPicture::Presentation, devices)?
        .ok_or_else(|| ScreenshareError::NoPicture(source.name.clone()))?;
    line.device = source.name.clone();
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::VideoSource;

    fn sources() -> Vec<NamedVideoSource> {
        ["hdmi", "test"]
            .map(|name| NamedVideoSource {
                name: name.into(),
                source: VideoSource::Test,
            })
            .to_vec()
    }

    #[test]
    fn the_first_source_is_the_default_and_others_are_found_by_name() {
        let encoding = VideoEncoding::default();
        assert_eq!(
            line(None, &sources(), encoding, &[]).unwrap().device,
            "hdmi"
        );
        let chosen = line(Some("test"), &sources(), encoding, &[]).unwrap();
        assert_eq!(
            (chosen.device.as_str(), chosen.painted),
            ("test", Some(TestPicture::Presentation))
        );
    }

    #[test]
    fn an_unknown_source_is_an_error_that_lists_the_known_ones() {
        let error = line(Some("dvi"), &sources(), VideoEncoding::default(), &[])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("dvi") && error.contains("hdmi, test"),
            "{error}"
        );
        assert!(line(None, &[], VideoEncoding::default(), &[]).is_err());
    }
}
