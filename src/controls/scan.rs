//! Which input devices there are, as sysfs tells it: without opening them, so that a device which may not be
//! opened is known as well.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use evdev::{KeyCode, SwitchCode};
use schemars::JsonSchema;
use serde::Serialize;

/// Where the kernel shows its devices. Other folders stand in for them in tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// `/sys/class/input`.
    pub input_class: PathBuf,
    /// `/dev/input`.
    pub input_nodes: PathBuf,
    /// `/sys/class/leds`.
    pub leds: PathBuf,
    /// `/dev`.
    pub dev: PathBuf,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            input_class: "/sys/class/input".into(),
            input_nodes: "/dev/input".into(),
            leds: "/sys/class/leds".into(),
            dev: "/dev".into(),
        }
    }
}

/// An input device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InputDevice {
    /// Its node, as `/dev/input/event3`: may be another one after the next start.
    pub node: PathBuf,
    /// The name that it gives itself.
    pub name: String,
    /// Ids of vendor and product.
    pub vendor: u16,
    /// See `vendor`.
    pub product: u16,
    /// Where it is plugged in.
    pub phys: String,
    /// Its serial number or address, if it has one.
    pub uniq: String,
    /// Codes of its keys.
    #[serde(skip)]
    pub keys: BTreeSet<u16>,
    /// Codes of its switches.
    #[serde(skip)]
    pub switches: BTreeSet<u16>,
}

impl InputDevice {
    /// The kernel's names of its keys and switches.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let keys = self
            .keys
            .iter()
            .map(|code| format!("{:?}", KeyCode::new(*code)));
        let switches = self
            .switches
            .iter()
            .map(|code| format!("{:?}", SwitchCode(*code)));
        keys.chain(switches).collect()
    }

    /// What tells it from all others for as long as it stays plugged in where it is.
    #[must_use]
    pub fn identity(&self) -> String {
        format!("{}|{}", self.model(), self.phys)
    }

    /// What it is wherever it is plugged in.
    #[must_use]
    pub fn model(&self) -> String {
        format!(
            "{}|{:04x}:{:04x}|{}",
            self.name, self.vendor, self.product, self.uniq
        )
    }
}

/// All input devices, by the number of their node. None where there is no such class.
///
/// # Errors
/// When the class exists and cannot be listed.
pub fn input_devices(places: &Places) -> io::Result<Vec<InputDevice>> {
    let entries = match fs::read_dir(&places.input_class) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut devices = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix("event")?.parse::<u32>().ok());
        if let Some(number) = number {
            let node = places.input_nodes.join(&name);
            devices.push((number, device(&entry.path().join("device"), node)));
        }
    }
    devices.sort_by_key(|(number, _)| *number);
    Ok(devices.into_iter().map(|(_, device)| device).collect())
}

/// What a folder of sysfs says; what it does not say is empty, because devices vanish while one reads.
fn device(folder: &Path, node: PathBuf) -> InputDevice {
    let text = |file: &str| {
        let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
        text.trim().to_owned()
    };
    let id = |file: &str| u16::from_str_radix(&text(file), 16).unwrap_or_default();
    InputDevice {
        node,
        name: text("name"),
        vendor: id("id/vendor"),
        product: id("id/product"),
        phys: text("phys"),
        uniq: text("uniq"),
        keys: bits(&text("capabilities/key")),
        switches: bits(&text("capabilities/sw")),
    }
}

/// The numbers of the bits that are set: words in hexadecimal, the highest first, each as wide as `long`.
fn bits(text: &str) -> BTreeSet<u16> {
    let mut numbers = BTreeSet::new();
    for (at, word) in text.split_whitespace().rev().enumerate() {
        let Ok(word) = u64::from_str_radix(word, 16) else {
            return BTreeSet::new();
        };
        for bit in (0..64).filter(|bit| word >> bit & 1 == 1) {
            // Codes end at 0x2ff.
            if let Ok(number) = u16::try_from(at * (usize::BITS as usize) + bit) {
                numbers.insert(number);
            }
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn devices_are_read_from_sysfs_with_their_keys_and_switches() {
        let root = tempfile::tempdir().unwrap();
        let places = Places {
            input_class: root.path().into(),
            ..Places::default()
        };
        for (node, name, key, switch) in [
            ("event10", "Speakerphone", "", "0"),
            // KEY_MICMUTE is 248: bit 56 of the fourth word from the right. KEY_A is 30.
            ("event2", "Remote", "100000000000000 0 0 40000000", "4000"),
        ] {
            let folder = root.path().join(node).join("device");
            fs::create_dir_all(folder.join("id")).unwrap();
            fs::create_dir_all(folder.join("capabilities")).unwrap();
            for (file, text) in [
                ("name", name),
                ("id/vendor", "046d"),
                ("id/product", "c31c"),
                ("phys", "usb-1/input0"),
                ("uniq", ""),
                ("capabilities/key", key),
                ("capabilities/sw", switch),
            ] {
                fs::write(folder.join(file), format!("{text}\n")).unwrap();
            }
        }
        fs::create_dir(root.path().join("mouse0")).unwrap();
        let devices = input_devices(&places).unwrap();
        let names: Vec<_> = devices.iter().map(|device| device.name.as_str()).collect();
        assert_eq!(names, ["Remote", "Speakerphone"]);
        let remote = &devices[0];
        assert_eq!(remote.node, Path::new("/dev/input/event2"));
        let keys = [KeyCode::KEY_A.code(), KeyCode::KEY_MICMUTE.code()];
        assert_eq!(remote.keys, BTreeSet::from(keys));
        assert_eq!(
            remote.switches,
            BTreeSet::from([SwitchCode::SW_MUTE_DEVICE.0])
        );
        assert_eq!(
            remote.identity(),
            "Remote|046d:c31c||usb-1/input0".to_owned()
        );
    }

    #[test]
    fn a_machine_without_input_devices_has_none() {
        let places = Places {
            input_class: "/nonexistent".into(),
            ..Places::default()
        };
        assert!(input_devices(&places).unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn bits_of_any_text_are_read_without_a_panic(text in ".*", words in prop::collection::vec(any::<u64>(), 0..12)) {
            let _ = bits(&text);
            let shown: Vec<String> = words.iter().map(|word| format!("{word:x}")).collect();
            let count: u32 = words.iter().map(|word| word.count_ones()).sum();
            prop_assert_eq!(bits(&shown.join(" ")).len(), count as usize);
        }
    }
}
