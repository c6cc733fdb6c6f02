//! Where sound comes from.

use super::CaptureLine;
use crate::{
    devices::{Device, DeviceKind},
    launch::{self, LaunchError, quoted},
    settings::AudioSource,
};

const ALSA: &str = include_str!("../../../pipelines/capture/alsa.launch");
const TEST_TONE: &str = include_str!("../../../pipelines/capture/test-tone.launch");

/// Tone of an automatic source without a device.
const DEFAULT_TONE: (f64, f64) = (440.0, -20.0);

/// The line for a source; `None` when there is to be no sound.
pub(crate) fn line(
    source: &AudioSource,
    devices: &[Device],
) -> Result<Option<CaptureLine>, LaunchError> {
    match source {
        AudioSource::None => Ok(None),
        AudioSource::Test {
            frequency,
            level_dbfs,
        } => tone_line(*frequency, *level_dbfs).map(Some),
        AudioSource::Alsa(pcm) => alsa_line(pcm, pcm.clone()).map(Some),
        AudioSource::Auto => match devices
            .iter()
            .find(|device| device.kind == DeviceKind::Microphone)
        {
            Some(device) => alsa_line("default", device.name.clone()).map(Some),
            None => tone_line(DEFAULT_TONE.0, DEFAULT_TONE.1).map(Some),
        },
    }
}

fn alsa_line(pcm: &str, device: String) -> Result<CaptureLine, LaunchError> {
    Ok(CaptureLine {
        device,
        line: launch::fill(ALSA, &[("device", quoted(pcm))])?,
        painted: None,
        is_test: false,
        placeholder: None,
    })
}

/// The RMS of a sine is its peak divided by the square root of two.
fn tone_line(frequency: f64, level_dbfs: f64) -> Result<CaptureLine, LaunchError> {
    let peak = (10f64.powf(level_dbfs / 20.0) * std::f64::consts::SQRT_2).clamp(0.0, 1.0);
    let values = [
        ("frequency", frequency.to_string()),
        ("volume", peak.to_string()),
    ];
    Ok(CaptureLine {
        device: format!("test tone of {frequency} Hz"),
        line: launch::fill(TEST_TONE, &values)?,
        painted: None,
        is_test: true,
        placeholder: None,
    })
}

#[cfg(test)]
mod tests {
    use gstreamer as gst;

    use super::*;

    #[test]
    fn the_golden_lines() {
        let alsa = line(&AudioSource::Alsa("hw:1,0".into()), &[])
            .unwrap()
            .unwrap();
        assert_eq!(
            alsa.line,
            "alsasrc device=\"hw:1,0\" provide-clock=false use-driver-timestamps=false \
             buffer-time=200000 latency-time=10000 \
             ! identity sync=true silent=true ! audioconvert ! audioresample \
             ! audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=2"
        );
        let tone = line(
            &AudioSource::Test {
                frequency: 440.0,
                level_dbfs: -23.010_299_956_639_813,
            },
            &[],
        )
        .unwrap()
        .unwrap();
        assert!(tone.line.contains("freq=440 volume=0.1"), "{}", tone.line);
    }

    #[test]
    fn without_a_device_automatic_means_the_tone() {
        let chosen = line(&AudioSource::Auto, &[]).unwrap().unwrap();
        assert_eq!(chosen.device, "test tone of 440 Hz");
        assert_eq!(line(&AudioSource::None, &[]).unwrap(), None);
        let microphone = Device {
            kind: DeviceKind::Microphone,
            name: "USB Mic".into(),
            path: "hw:1,0".into(),
            id: "hw:1,0".into(),
            group: String::new(),
            caps: None,
        };
        assert_eq!(
            line(&AudioSource::Auto, &[microphone])
                .unwrap()
                .unwrap()
                .device,
            "USB Mic"
        );
    }

    #[test]
    fn every_line_is_accepted_by_gstreamer() {
        gst::init().unwrap();
        for source in [
            AudioSource::Test {
                frequency: 1000.0,
                level_dbfs: -15.0,
            },
            AudioSource::Alsa("default".into()),
        ] {
            launch::pipeline(&format!(
                "{} ! fakesink",
                line(&source, &[]).unwrap().unwrap().line
            ))
            .unwrap();
        }
    }
}
