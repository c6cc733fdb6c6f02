//! `roomd probe`: what was found, for programs and as a table for people.

use std::fmt::Write;

use roomd_controls::{
    gpio::{self, FoundLine},
    led::{self, Led},
    scan::{self, Places},
};
use roomd_media::{Device, ProbeReport};
use serde::Serialize;

/// Everything that was found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Probe {
    /// Cameras, sound, displays, encoders.
    #[serde(flatten)]
    pub media: ProbeReport,
    /// Devices with keys or switches.
    pub input_devices: Vec<FoundInput>,
    /// Lines of GPIO chips.
    pub gpio_lines: Vec<FoundLine>,
    /// LEDs of the kernel's LED class.
    pub leds: Vec<FoundLed>,
}

/// A device with keys or switches.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundInput {
    /// Its name: what `device` takes.
    pub name: String,
    /// Vendor and product: `device` takes them as well.
    pub ids: String,
    /// Its node now.
    pub node: String,
    /// Its keys and switches.
    pub keys: Vec<String>,
}

/// A LED.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FoundLed {
    /// What `led` takes.
    pub name: String,
    /// Its folder, whose files the service has to write.
    pub folder: String,
    /// It shows several colours.
    pub multicolour: bool,
    /// The kernel plays patterns on it, so a roomd that is stuck shows a fault at once.
    pub plays_patterns: bool,
}

/// Looks for buttons, switches and lights beside what the media engine found.
#[must_use]
pub fn probe(media: ProbeReport, places: &Places) -> Probe {
    let devices = scan::input_devices(places).unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot list input devices");
        Vec::new()
    });
    let inputs = devices.into_iter().filter_map(|device| {
        let keys = device.names();
        (!keys.is_empty()).then(|| FoundInput {
            ids: format!("{:04x}:{:04x}", device.vendor, device.product),
            node: device.node.display().to_string(),
            name: device.name,
            keys,
        })
    });
    let names = led::names(&places.leds).unwrap_or_else(|error| {
        tracing::warn!(%error, "cannot list LEDs");
        Vec::new()
    });
    let leds = names.into_iter().filter_map(|name| {
        let led = Led::find(&places.leds, &name).ok()?;
        Some(FoundLed {
            folder: led.folder().display().to_string(),
            multicolour: led.is_multicolour(),
            plays_patterns: led.plays_patterns(),
            name,
        })
    });
    Probe {
        media,
        input_devices: inputs.collect(),
        gpio_lines: gpio::lines(),
        leds: leds.collect(),
    }
}

/// The report in sections, one line a thing.
#[must_use]
pub fn table(probe: &Probe) -> String {
    let report = &probe.media;
    let mut text = format!("{}\n", report.gstreamer);
    for (title, devices, none) in [
        (
            "Cameras",
            &report.cameras,
            "none: the test picture would be sent",
        ),
        (
            "Microphones",
            &report.microphones,
            "none: the test tone would be sent",
        ),
        ("Speakers", &report.speakers, "none: nothing would be heard"),
    ] {
        section(&mut text, title, devices, none);
    }
    text.push_str("\nVideo encoders, tried from the top of each codec\n");
    for encoder in &report.encoders {
        let state = match (encoder.used, encoder.present) {
            (true, _) => "used",
            (false, true) => "present",
            (false, false) => "not on this machine",
        };
        let _ = writeln!(
            text,
            "  {:<6} {:<16} {state}",
            format!("{:?}", encoder.codec).to_lowercase(),
            encoder.name
        );
    }
    text.push_str("\nDisplays\n");
    for display in &report.displays {
        let state = match (display.present, display.reachable) {
            (true, true) => "usable",
            (true, false) => "nothing to show on",
            (false, _) => "GStreamer element missing",
        };
        let _ = writeln!(text, "  {:<16} {state}", display.element);
    }
    controls(&mut text, probe);
    if !report.missing.is_empty() {
        let _ = writeln!(
            text,
            "\nMissing, without them there is no call: {}",
            report.missing.join(", ")
        );
    }
    text
}

/// Keys of a keyboard fill no line.
const SHOWN_KEYS: usize = 6;

fn controls(text: &mut String, probe: &Probe) {
    text.push_str("\nButtons and switches\n");
    if probe.input_devices.is_empty() && probe.gpio_lines.is_empty() {
        text.push_str("  none\n");
    }
    for device in &probe.input_devices {
        let keys = match device.keys.as_slice() {
            keys if keys.len() > SHOWN_KEYS => format!("{} keys", keys.len()),
            keys => keys.join(", "),
        };
        let _ = writeln!(text, "  {:<32} {}  {keys}", device.name, device.ids);
    }
    for line in &probe.gpio_lines {
        let name = if line.name.is_empty() {
            "-"
        } else {
            &line.name
        };
        let user = if line.consumer.is_empty() {
            String::new()
        } else {
            format!("used by {}", line.consumer)
        };
        let _ = writeln!(
            text,
            "  {:<32} line {:<4} {name:<16} {user}",
            line.chip, line.number
        );
    }
    text.push_str("\nLights\n");
    if probe.leds.is_empty() {
        text.push_str("  none\n");
    }
    for led in &probe.leds {
        let colours = if led.multicolour {
            "several colours"
        } else {
            "one colour"
        };
        let _ = writeln!(text, "  {:<32} {colours:<16} {}", led.name, led.folder);
    }
}

fn section(text: &mut String, title: &str, devices: &[Device], none: &str) {
    let _ = writeln!(text, "\n{title}");
    if devices.is_empty() {
        let _ = writeln!(text, "  {none}");
    }
    for device in devices {
        let _ = writeln!(text, "  {:<40} {}", device.name, device.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_buttons_and_lights_as_the_configuration_takes_them() {
        let probe = Probe {
            media: ProbeReport::default(),
            input_devices: vec![FoundInput {
                name: "Remote".to_owned(),
                ids: "046d:c31c".to_owned(),
                node: "/dev/input/event3".to_owned(),
                keys: vec!["KEY_MICMUTE".to_owned(), "SW_MUTE_DEVICE".to_owned()],
            }],
            gpio_lines: vec![FoundLine {
                chip: "room-panel".to_owned(),
                number: 3,
                name: "MUTE".to_owned(),
                consumer: String::new(),
            }],
            leds: vec![FoundLed {
                name: "room:red:mute".to_owned(),
                folder: "/sys/devices/leds/room:red:mute".to_owned(),
                multicolour: false,
                plays_patterns: true,
            }],
        };
        let text = table(&probe);
        for words in [
            "Remote ",
            "046d:c31c  KEY_MICMUTE, SW_MUTE_DEVICE",
            "room-panel ",
            "line 3    MUTE",
            "room:red:mute ",
            "/sys/devices/leds/room:red:mute",
        ] {
            assert!(text.contains(words), "{words} is not in {text}");
        }
    }
}
