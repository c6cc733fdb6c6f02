//! The panel without real devices: sysfs is a folder, nodes are plain files that cannot be asked, and words of
//! devices are given by hand. Real devices: `tests/devices.rs`.

use std::{fs, path::Path, time::Duration};

use super::*;
use crate::{
    gesture::Timing,
    rows::{ButtonRow, SwitchRow},
};

const TIMING: Timing = Timing {
    debounce: Duration::from_millis(5),
    long_press: Duration::from_millis(600),
    double_press: Duration::from_millis(300),
};

fn table(buttons: &str, switches: &str) -> Table {
    Table::new(
        &serde_json::from_str::<Vec<ButtonRow>>(buttons).unwrap(),
        &serde_json::from_str::<Vec<SwitchRow>>(switches).unwrap(),
        &[],
        TIMING,
    )
    .unwrap()
}

fn places(root: &Path) -> Places {
    Places {
        input_class: root.join("class"),
        input_nodes: root.join("input"),
        leds: root.join("leds"),
        dev: root.into(),
    }
}

/// A device with KEY_MICMUTE and SW_MUTE_DEVICE whose node is no device.
fn plug_in(root: &Path, node: &str) {
    let folder = root.join("class").join(node).join("device");
    fs::create_dir_all(folder.join("capabilities")).unwrap();
    fs::write(folder.join("name"), "Speakerphone\n").unwrap();
    fs::write(folder.join("capabilities/key"), "100000000000000 0 0 0\n").unwrap();
    fs::write(folder.join("capabilities/sw"), "4000\n").unwrap();
    fs::create_dir_all(root.join("input")).unwrap();
    fs::write(root.join("input").join(node), "").unwrap();
}

/// As if the device at this node had been opened and had said so.
fn opened(panel: &mut Panel, node: &Path, muted: bool) {
    let identity = "Speakerphone|0000:0000||".to_owned();
    let button = Button::new(TIMING, panel.table.buttons[0].used_for(), false);
    panel.buttons.insert((identity.clone(), 0), button);
    let state = SwitchState::read(muted);
    panel.switches.set(0, &identity, state);
    let task = tokio::spawn(std::future::pending::<()>()).abort_handle();
    let open = Open {
        identity,
        name: "Speakerphone".to_owned(),
        keys: vec![(KeyCode::KEY_MICMUTE, 0)],
        switches: vec![(SwitchCode::SW_MUTE_DEVICE, 0)],
        task,
    };
    panel.devices.insert(node.into(), open);
}

const TALK: &str = r#"[{"key":"KEY_MICMUTE","hold_to_talk":true}]"#;
const SWITCH: &str = r#"[{"switch":"SW_MUTE_DEVICE","mutes":"microphone"}]"#;

#[tokio::test]
async fn a_switch_that_cannot_be_read_mutes_and_says_why() {
    let root = tempfile::tempdir().unwrap();
    plug_in(root.path(), "event0");
    let panel = Panel::open(table(TALK, SWITCH), places(root.path()));
    let ban = panel.bans().microphone.unwrap();
    assert_eq!(ban.state, SwitchState::Unreadable);
    let report = panel.state();
    assert_eq!(report.buttons[0].state, ControlState::Failed);
    assert_eq!(report.faults().len(), 1);
    assert!(report.faults()[0].contains("Speakerphone"), "{report:?}");
}

#[tokio::test]
async fn where_no_device_has_the_switch_nothing_is_muted() {
    let root = tempfile::tempdir().unwrap();
    let panel = Panel::open(table(TALK, SWITCH), places(root.path()));
    assert_eq!(panel.bans(), Bans::default());
    assert_eq!(panel.state().buttons[0].state, ControlState::Missing);
    assert!(panel.state().faults().is_empty());
}

#[tokio::test]
async fn a_line_that_is_not_there_mutes_when_it_is_a_switch() {
    let root = tempfile::tempdir().unwrap();
    let switches = r#"[{"name":"slider","gpio":"PRIVACY","chip":"no such chip","mutes":"camera"}]"#;
    let panel = Panel::open(table("[]", switches), places(root.path()));
    let ban = panel.bans().camera.unwrap();
    assert_eq!(
        (ban.switch.as_str(), ban.state),
        ("slider", SwitchState::Missing)
    );
    assert!(
        panel.state().switches[0]
            .reason
            .as_ref()
            .unwrap()
            .contains("no such chip")
    );
}

#[tokio::test]
async fn talk_ends_and_the_switch_mutes_when_the_device_vanishes() {
    let root = tempfile::tempdir().unwrap();
    let mut panel = Panel::open(table(TALK, SWITCH), places(root.path()));
    let node = root.path().join("input/event0");
    opened(&mut panel, &node, false);
    let (tell, mut heard) = mpsc::channel(8);
    let devices = panel.tell.clone();
    tokio::spawn(panel.run(tell));
    let key = |edge| News::Key(node.clone(), KeyCode::KEY_MICMUTE, edge, Instant::now());
    devices.send(key(Edge::Down)).unwrap();
    devices
        .send(News::Gone(node.clone(), "gone".to_owned()))
        .unwrap();
    let mut seen = Vec::new();
    while seen.len() < 3 {
        match tokio::time::timeout(Duration::from_secs(20), heard.recv())
            .await
            .unwrap()
            .unwrap()
        {
            PanelEvent::Report(_) => {}
            event => seen.push(event),
        }
    }
    assert_eq!(
        seen[0],
        PanelEvent::Gesture {
            button: 0,
            gesture: Gesture::TalkStart
        }
    );
    let PanelEvent::Bans(bans) = &seen[1] else {
        panic!("{seen:?}");
    };
    assert_eq!(
        bans.microphone.as_ref().unwrap().state,
        SwitchState::Missing
    );
    assert_eq!(
        seen[2],
        PanelEvent::Gesture {
            button: 0,
            gesture: Gesture::TalkEnd
        }
    );
}

#[tokio::test]
async fn a_switch_tells_what_it_forbids_before_anything_else() {
    let root = tempfile::tempdir().unwrap();
    let mut panel = Panel::open(table(TALK, SWITCH), places(root.path()));
    let node = root.path().join("input/event0");
    opened(&mut panel, &node, false);
    panel.events(Vec::new());
    panel.hear(News::Switch(node.clone(), SwitchCode::SW_MUTE_DEVICE, true));
    let events = panel.events(vec![(0, Gesture::TalkStart)]);
    assert!(matches!(&events[0], PanelEvent::Bans(bans) if bans.microphone.is_some()));
    panel.hear(News::Switch(node, SwitchCode::SW_MUTE_DEVICE, false));
    assert_eq!(
        panel.events(Vec::new())[0],
        PanelEvent::Bans(Bans::default())
    );
}
