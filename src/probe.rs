//! `roomd probe` as a table for people.

use std::fmt::Write;

use roomd_media::{Device, ProbeReport};

/// The report in sections, one line a thing.
#[must_use]
pub fn table(report: &ProbeReport) -> String {
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
    if !report.missing.is_empty() {
        let _ = writeln!(
            text,
            "\nMissing, without them there is no call: {}",
            report.missing.join(", ")
        );
    }
    text
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
