//! Real devices of the kernel: uinput makes an input device, gpio-sim a chip. Both need root and a kernel that has
//! them; where it has not, a test says `*** SKIPPED` with the reason and proves nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

use std::{fs, path::PathBuf, time::Duration};

use evdev::{AttributeSet, EventType, InputEvent, KeyCode, SwitchCode, uinput::VirtualDevice};
use roomd_controls::{
    binding::Table,
    gesture::{Gesture, Timing},
    panel::{Panel, PanelEvent},
    rows::{ButtonRow, SwitchRow},
    scan::Places,
    switch::SwitchState,
};
use tokio::{sync::mpsc, time::timeout};

const PATIENCE: Duration = Duration::from_secs(30);

fn table(buttons: &str, switches: &str) -> Table {
    let timing = Timing {
        debounce: Duration::from_millis(5),
        long_press: Duration::from_millis(600),
        double_press: Duration::from_millis(300),
    };
    Table::new(
        &serde_json::from_str::<Vec<ButtonRow>>(buttons).unwrap(),
        &serde_json::from_str::<Vec<SwitchRow>>(switches).unwrap(),
        &[],
        timing,
    )
    .unwrap()
}

/// Not through `println!`, which the harness keeps for itself.
fn skipped(why: &str) {
    let text = format!("\n*** SKIPPED: {why} ***\n");
    std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()).unwrap();
}

/// A speakerphone with a mute key and a mute switch; `None` with the reason said.
fn speakerphone(name: &str) -> Option<VirtualDevice> {
    let keys = AttributeSet::from_iter([KeyCode::KEY_MICMUTE]);
    let switches = AttributeSet::from_iter([SwitchCode::SW_MUTE_DEVICE]);
    let made = VirtualDevice::builder().and_then(|builder| {
        let builder = builder.name(name).with_keys(&keys)?;
        builder.with_switches(&switches)?.build()
    });
    match made {
        Ok(device) => Some(device),
        Err(error) => {
            skipped(&format!(
                "no input device can be made with /dev/uinput: {error}"
            ));
            None
        }
    }
}

fn key(device: &mut VirtualDevice, down: bool) {
    let event = InputEvent::new(
        EventType::KEY.0,
        KeyCode::KEY_MICMUTE.code(),
        i32::from(down),
    );
    device.emit(&[event]).unwrap();
}

fn switch(device: &mut VirtualDevice, on: bool) {
    let event = InputEvent::new(
        EventType::SWITCH.0,
        SwitchCode::SW_MUTE_DEVICE.0,
        i32::from(on),
    );
    device.emit(&[event]).unwrap();
}

struct Heard(mpsc::Receiver<PanelEvent>);

impl Heard {
    async fn next(&mut self) -> PanelEvent {
        timeout(PATIENCE, self.0.recv())
            .await
            .expect("nothing was told")
            .unwrap()
    }

    async fn gesture(&mut self) -> Gesture {
        loop {
            if let PanelEvent::Gesture { gesture, .. } = self.next().await {
                return gesture;
            }
        }
    }

    async fn microphone(&mut self, state: Option<SwitchState>) {
        loop {
            if let PanelEvent::Bans(bans) = self.next().await
                && bans.microphone.as_ref().map(|ban| ban.state) == state
            {
                return;
            }
        }
    }
}

fn run(panel: Panel) -> Heard {
    let (tell, heard) = mpsc::channel(64);
    tokio::spawn(panel.run(tell));
    Heard(heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_a_device_makes_gestures_and_talk_ends_when_it_is_pulled_out() {
    let name = "roomd test speakerphone 1";
    let Some(mut device) = speakerphone(name) else {
        return;
    };
    let buttons = format!(r#"[{{"key":"KEY_MICMUTE","device":"{name}","hold_to_talk":true}}]"#);
    let mut heard = run(Panel::open(table(&buttons, "[]"), Places::default()));
    // Found now or as soon as its node is there.
    loop {
        key(&mut device, true);
        if let Ok(Some(PanelEvent::Gesture { gesture, .. })) =
            timeout(Duration::from_millis(500), heard.0.recv()).await
        {
            assert_eq!(gesture, Gesture::TalkStart);
            break;
        }
        key(&mut device, false);
    }
    key(&mut device, false);
    assert_eq!(heard.gesture().await, Gesture::TalkEnd);
    key(&mut device, true);
    assert_eq!(heard.gesture().await, Gesture::TalkStart);
    drop(device);
    assert_eq!(heard.gesture().await, Gesture::TalkEnd);
    // It returns, and works again.
    let mut device = speakerphone(name).unwrap();
    loop {
        key(&mut device, true);
        if let Ok(gesture) = timeout(Duration::from_millis(500), heard.gesture()).await {
            assert_eq!(gesture, Gesture::TalkStart);
            break;
        }
        key(&mut device, false);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mute_switch_is_read_at_the_start_followed_and_missed() {
    let name = "roomd test speakerphone 2";
    let switches =
        format!(r#"[{{"switch":"SW_MUTE_DEVICE","device":"{name}","mutes":"microphone"}}]"#);
    let missing = Panel::open(table("[]", &switches), Places::default());
    let ban = missing.bans().microphone.unwrap();
    assert_eq!(ban.state, SwitchState::Missing, "before it was plugged in");
    let Some(mut device) = speakerphone(name) else {
        return;
    };
    let mut heard = run(missing);
    heard.microphone(None).await;
    switch(&mut device, true);
    heard.microphone(Some(SwitchState::Muted)).await;
    // Whoever starts now finds it so.
    let second = Panel::open(table("[]", &switches), Places::default());
    assert_eq!(second.bans().microphone.unwrap().state, SwitchState::Muted);
    switch(&mut device, false);
    heard.microphone(None).await;
    drop(device);
    heard.microphone(Some(SwitchState::Missing)).await;
    let _returned = speakerphone(name).unwrap();
    heard.microphone(None).await;
}

/// A chip of gpio-sim with two lines, live for as long as this is.
struct Chip {
    config: PathBuf,
    sysfs: PathBuf,
}

const LINES: [&str; 2] = ["TEST_MUTE", "TEST_PRIVACY"];

impl Chip {
    fn new(label: &str) -> Option<Self> {
        let root = PathBuf::from("/sys/kernel/config/gpio-sim");
        if !root.is_dir() {
            skipped(&format!(
                "no GPIO chip can be made: {} is not there",
                root.display()
            ));
            return None;
        }
        let config = root.join(label);
        let bank = config.join("bank0");
        fs::create_dir_all(&bank).unwrap();
        fs::write(bank.join("num_lines"), "2").unwrap();
        fs::write(bank.join("label"), label).unwrap();
        for (at, name) in LINES.iter().enumerate() {
            let line = bank.join(format!("line{at}"));
            fs::create_dir_all(&line).unwrap();
            fs::write(line.join("name"), name).unwrap();
        }
        fs::write(config.join("live"), "1").unwrap();
        let text = |file: PathBuf| fs::read_to_string(file).unwrap().trim().to_owned();
        let sysfs = PathBuf::from("/sys/devices/platform")
            .join(text(config.join("dev_name")))
            .join(text(bank.join("chip_name")));
        Some(Self { config, sysfs })
    }

    fn pull(&self, line: usize, up: bool) {
        let file = self.sysfs.join(format!("sim_gpio{line}/pull"));
        fs::write(file, if up { "pull-up" } else { "pull-down" }).unwrap();
    }
}

impl Drop for Chip {
    fn drop(&mut self) {
        // What cannot be taken away stays until the machine is started again.
        let _ = fs::write(self.config.join("live"), "0");
        for folder in ["bank0/line0", "bank0/line1", "bank0", ""] {
            let _ = fs::remove_dir(self.config.join(folder));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gpio_lines_are_buttons_and_switches_and_a_chip_that_goes_mutes() {
    let label = "roomd-test-panel";
    let switches = format!(r#"[{{"gpio":"TEST_PRIVACY","chip":"{label}","mutes":"microphone"}}]"#);
    let Some(chip) = Chip::new(label) else {
        return;
    };
    chip.pull(1, true);
    let buttons = format!(
        r#"[{{"gpio":"TEST_MUTE","chip":"{label}","press":"toggle_microphone","long_press":"leave_room"}}]"#
    );
    let panel = Panel::open(table(&buttons, &switches), Places::default());
    assert_eq!(panel.bans().microphone.unwrap().state, SwitchState::Muted);
    let mut heard = run(panel);
    chip.pull(1, false);
    heard.microphone(None).await;
    for _ in 0..20 {
        chip.pull(0, true);
        chip.pull(0, false);
        assert_eq!(heard.gesture().await, Gesture::Press);
    }
    chip.pull(0, true);
    assert_eq!(heard.gesture().await, Gesture::LongPress);
    drop(chip);
    heard.microphone(Some(SwitchState::Missing)).await;
    let chip = Chip::new(label).unwrap();
    chip.pull(1, false);
    heard.microphone(None).await;
}
