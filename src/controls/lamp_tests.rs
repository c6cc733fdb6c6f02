//! Lamps on folders of plain files that take what LEDs take.

use std::fs;

use super::*;
use crate::{
    binding::Table,
    gesture::Timing,
    led::tests::{plain_led, text},
    light::{Capture, Condition},
    pattern::Pattern,
};

fn lamp(class: &std::path::Path, shows: &[&str], now: Instant) -> Lamp {
    let rows = serde_json::json!([{ "led": "a", "shows": shows }]);
    let lights: Vec<crate::rows::LightRow> = serde_json::from_value(rows).unwrap();
    let timing = Timing {
        debounce: Duration::ZERO,
        long_press: Duration::ZERO,
        double_press: Duration::ZERO,
    };
    let table = Table::new(&[], &[], &lights, timing).unwrap();
    let places = Places {
        leds: class.into(),
        ..Places::default()
    };
    Lamp::new(table.lights[0].clone(), places, now)
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn microphone(microphone: Capture) -> Indications {
    Indications {
        microphone,
        active: true,
        ..Indications::default()
    }
}

#[test]
fn a_lamp_without_patterns_of_its_own_is_written_at_every_change() {
    let class = tempfile::tempdir().unwrap();
    let folder = plain_led(class.path(), "a", &[("trigger", "[none] timer")]);
    let start = Instant::now();
    let mut lamp = lamp(class.path(), &["muted"], start);
    let pending = lamp.wanted(Some(&microphone(Capture::Closing)));
    assert_eq!(pending, Condition::Pending.look());
    let next = lamp.show(start, pending);
    assert_eq!(
        (text(&folder, "brightness").as_str(), next - start),
        ("255", ms(500))
    );
    lamp.show(start + ms(500), pending);
    assert_eq!(text(&folder, "brightness"), "0");
    let muted = lamp.wanted(Some(&microphone(Capture::Closed)));
    lamp.show(start + ms(600), muted);
    assert_eq!(text(&folder, "brightness"), "255");
}

#[test]
fn what_somebody_else_wrote_is_noticed_and_put_right() {
    let class = tempfile::tempdir().unwrap();
    let folder = plain_led(class.path(), "a", &[("trigger", "[none]")]);
    let start = Instant::now();
    let mut lamp = lamp(class.path(), &["live"], start);
    let live = lamp.wanted(Some(&microphone(Capture::Live)));
    let next = lamp.show(start, live);
    fs::write(folder.join("brightness"), "0").unwrap();
    lamp.show(next, live);
    assert_eq!(text(&folder, "brightness"), "255");
}

#[test]
fn the_kernel_is_told_again_before_its_pattern_turns_into_a_fault() {
    let class = tempfile::tempdir().unwrap();
    let files = [
        ("trigger", "[none] pattern"),
        ("pattern", ""),
        ("repeat", "1"),
    ];
    let folder = plain_led(class.path(), "a", &files);
    let start = Instant::now();
    let mut lamp = lamp(class.path(), &["live"], start);
    let live = lamp.wanted(Some(&microphone(Capture::Live)));
    let next = lamp.show(start, live);
    assert!(next - start < GOOD_FOR);
    assert!(text(&folder, "pattern").starts_with("255 3000 255 0 255 100"));
    fs::write(folder.join("pattern"), "").unwrap();
    lamp.show(next, live);
    assert!(text(&folder, "pattern").starts_with("255 3000"));
}

#[test]
fn when_nobody_tells_any_more_every_lamp_shows_a_fault() {
    let class = tempfile::tempdir().unwrap();
    let lamp = lamp(class.path(), &["muted"], Instant::now());
    assert_eq!(lamp.wanted(None).pattern, Pattern::Fault);
}

#[test]
fn a_lamp_that_is_not_there_is_looked_for_again_and_its_fault_is_told() {
    let class = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let mut lamp = lamp(class.path(), &["muted"], start);
    let muted = lamp.wanted(Some(&microphone(Capture::Closed)));
    let next = lamp.show(start, muted);
    assert_eq!(lamp.part().state, ControlState::Missing);
    assert!(lamp.part().reason.unwrap().contains("no LED a"));
    let folder = plain_led(class.path(), "a", &[("trigger", "[none]")]);
    lamp.show(next, muted);
    assert_eq!(lamp.part().state, ControlState::Ready);
    assert_eq!(text(&folder, "brightness"), "255");
    fs::remove_dir_all(&folder).unwrap();
    lamp.show(next + REFRESH, muted);
    assert_eq!(lamp.part().state, ControlState::Failed);
}
