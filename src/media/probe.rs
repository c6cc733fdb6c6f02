//! What this machine has: devices, and for each codec the encoders with the one that would be used.

use gstreamer as gst;
use serde::Serialize;

use crate::{
    devices::{self, Device, DeviceKind},
    encoders::{Codec, EncoderError, Tables, is_present},
};

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbeReport {
    /// Version of GStreamer.
    pub gstreamer: String,
    /// V4L2 cameras and video inputs.
    pub cameras: Vec<Device>,
    /// ALSA capture devices.
    pub microphones: Vec<Device>,
    /// ALSA playback devices.
    pub speakers: Vec<Device>,
    /// Every encoder of `pipelines/encoders.toml`.
    pub encoders: Vec<ProbedEncoder>,
    /// Display sinks that GStreamer has here, the preferred one first.
    pub displays: Vec<ProbedDisplay>,
    /// Elements without which there is no call; empty is good.
    pub missing: Vec<String>,
}

/// One encoder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbedEncoder {
    /// What it encodes to.
    pub codec: Codec,
    /// Its name in `pipelines/encoders.toml`.
    pub name: String,
    /// Place in the list of its codec, 1 is tried first.
    pub rank: usize,
    /// All its elements exist.
    pub present: bool,
    /// It is the one that would be used.
    pub used: bool,
}

/// One way to show pictures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProbedDisplay {
    /// The sink element.
    pub element: String,
    /// The element exists.
    pub present: bool,
    /// What it would show on seems to be there (socket, `DISPLAY`, a DRM card).
    pub reachable: bool,
}

/// Looks at this machine. Blocks for as long as the device providers take.
///
/// # Errors
/// When GStreamer does not start or a table of `pipelines/` cannot be read.
pub fn probe() -> Result<ProbeReport, crate::MediaError> {
    gst::init()?;
    let tables = Tables::built_in()?;
    let devices = devices::find();
    let of = |kind| {
        devices
            .iter()
            .filter(|device| device.kind == kind)
            .cloned()
            .collect()
    };
    Ok(ProbeReport {
        gstreamer: gst::version_string().to_string(),
        cameras: of(DeviceKind::Camera),
        microphones: of(DeviceKind::Microphone),
        speakers: of(DeviceKind::Speaker),
        encoders: encoders(&tables, is_present)?,
        displays: displays(),
        missing: ["webrtcbin", "nicesrc", "dtlssrtpenc", "srtpenc", "rtpbin"]
            .into_iter()
            .filter(|element| !is_present(element))
            .map(str::to_owned)
            .collect(),
    })
}

fn encoders(
    tables: &Tables,
    is_present: impl Fn(&str) -> bool,
) -> Result<Vec<ProbedEncoder>, EncoderError> {
    let mut found = Vec::new();
    for codec in [Codec::Vp8, Codec::H264, Codec::Opus] {
        let used = match tables.encoders.choose(codec, &[], &is_present) {
            Ok(choice) => Some(choice.entry.name),
            Err(EncoderError::None { .. }) => None,
            Err(error) => return Err(error),
        };
        for (place, entry) in tables.encoders.entries(codec).iter().enumerate() {
            found.push(ProbedEncoder {
                codec,
                name: entry.name.clone(),
                rank: place + 1,
                present: entry.elements.iter().all(|element| is_present(element)),
                used: used.as_ref() == Some(&entry.name),
            });
        }
    }
    Ok(found)
}

fn displays() -> Vec<ProbedDisplay> {
    let wayland = std::env::var_os("WAYLAND_DISPLAY").is_some();
    let x = std::env::var_os("DISPLAY").is_some();
    let kms = std::path::Path::new("/dev/dri/card0").exists();
    [
        ("waylandsink", wayland),
        ("ximagesink", x),
        ("kmssink", kms),
    ]
    .map(|(element, reachable)| ProbedDisplay {
        element: element.to_owned(),
        present: is_present(element),
        reachable,
    })
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_encoder_of_each_codec_is_marked_as_used() {
        let tables = Tables::built_in().unwrap();
        let found = encoders(&tables, |name| !name.contains("v4l2")).unwrap();
        for codec in [Codec::Vp8, Codec::H264, Codec::Opus] {
            assert_eq!(
                found
                    .iter()
                    .filter(|encoder| encoder.codec == codec && encoder.used)
                    .count(),
                1
            );
        }
        let nothing = encoders(&tables, |_| false).unwrap();
        assert!(
            nothing
                .iter()
                .all(|encoder| !encoder.used && !encoder.present)
        );
    }

    #[test]
    fn this_machine_can_be_probed() {
        let report = probe().unwrap();
        assert!(report.missing.is_empty(), "{:?}", report.missing);
        let json = serde_json::to_value(&report).unwrap();
        assert!(
            json["encoders"]
                .as_array()
                .unwrap()
                .iter()
                .any(|encoder| encoder["used"] == true)
        );
    }
}
