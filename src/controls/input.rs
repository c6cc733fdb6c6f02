//! Which key of which input device, which line of which GPIO chip.

use std::{fmt, path::PathBuf};

use evdev::{KeyCode, SwitchCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words::words;

words! {
    /// What holds a GPIO line while nothing drives it.
    pub enum Bias {
        /// As the board and its firmware left it.
        AsIs = "as_is",
        /// Nothing.
        Disabled = "disabled",
        /// A resistor to the supply.
        PullUp = "pull_up",
        /// A resistor to ground.
        PullDown = "pull_down",
    }
}

/// Which input device is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DeviceSelector {
    /// Any that has the key or switch.
    Any,
    /// By the name that the kernel shows.
    Name(String),
    /// By the USB or Bluetooth ids of vendor and product.
    Ids(u16, u16),
    /// By a path, as `/dev/input/by-id/…`; followed anew whenever a device appears.
    Path(PathBuf),
}

impl DeviceSelector {
    /// Reads `any`, a path, `046d:c31c` or a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if text == "any" {
            return Some(Self::Any);
        }
        if text.starts_with('/') {
            return Some(Self::Path(text.into()));
        }
        let ids = text
            .split_once(':')
            .filter(|(vendor, product)| vendor.len() == 4 && product.len() == 4)
            .and_then(|(vendor, product)| {
                let id = |text| u16::from_str_radix(text, 16).ok();
                Some(Self::Ids(id(vendor)?, id(product)?))
            });
        Some(ids.unwrap_or_else(|| Self::Name(text.to_owned())))
    }

    /// Whether a device with these marks is meant. `paths` are the node and the links that lead to it.
    #[must_use]
    pub fn matches(&self, name: &str, ids: (u16, u16), node: &std::path::Path) -> bool {
        match self {
            Self::Any => true,
            Self::Name(wanted) => wanted == name,
            Self::Ids(vendor, product) => (*vendor, *product) == ids,
            Self::Path(path) => {
                path == node || std::fs::canonicalize(path).is_ok_and(|target| target == node)
            }
        }
    }

    /// Whether one device may be meant by both.
    #[must_use]
    pub fn may_overlap(&self, other: &Self) -> bool {
        self == other || *self == Self::Any || *other == Self::Any
    }
}

impl fmt::Display for DeviceSelector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("any"),
            Self::Name(name) => formatter.write_str(name),
            Self::Ids(vendor, product) => write!(formatter, "{vendor:04x}:{product:04x}"),
            Self::Path(path) => write!(formatter, "{}", path.display()),
        }
    }
}

/// One line of a GPIO chip.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GpioLine {
    /// The chip's label or path; the first that has a line of this name when there is none.
    pub chip: Option<String>,
    /// The line's name, or its number on the chip.
    pub line: String,
    /// Low means pushed, muted or lit.
    pub active_low: bool,
    /// What holds it.
    pub bias: Bias,
}

impl GpioLine {
    /// Whether both may be the same line.
    #[must_use]
    pub fn may_overlap(&self, other: &Self) -> bool {
        let same_chip = self.chip.is_none() || other.chip.is_none() || self.chip == other.chip;
        self.line == other.line && same_chip
    }
}

impl fmt::Display for GpioLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.chip {
            Some(chip) => write!(formatter, "{chip}/{}", self.line),
            None => formatter.write_str(&self.line),
        }
    }
}

/// Where a button is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ButtonSource {
    /// A key of an input device.
    Key(DeviceSelector, KeyCode),
    /// A GPIO line.
    Gpio(GpioLine),
}

/// Where a switch is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SwitchSource {
    /// A switch of an input device.
    Switch(DeviceSelector, SwitchCode),
    /// A GPIO line.
    Gpio(GpioLine),
}

/// Where a light is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LightSource {
    /// A LED of the kernel's LED class; `*` stands for any characters.
    Led(String),
    /// A GPIO line.
    Gpio(GpioLine),
}

/// Whether a name fits a pattern in which `*` stands for any characters.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_device_is_named_in_one_of_four_ways() {
        let device = |selector: &str| {
            let selector = DeviceSelector::parse(selector).unwrap();
            selector.matches("Remote", (0x046d, 0xc31c), Path::new("/dev/input/event3"))
        };
        for (selector, is_meant) in [
            ("any", true),
            ("Remote", true),
            ("remote", false),
            ("046d:c31c", true),
            ("046D:C31C", true),
            ("046d:0000", false),
            ("/dev/input/event3", true),
            ("/dev/input/by-id/none", false),
        ] {
            assert_eq!(device(selector), is_meant, "{selector}");
        }
        assert_eq!(DeviceSelector::parse(" "), None);
    }

    #[test]
    fn a_link_leads_to_its_device() {
        let folder = tempfile::tempdir().unwrap();
        let node = folder.path().canonicalize().unwrap().join("event3");
        std::fs::write(&node, "").unwrap();
        let link = folder.path().join("remote");
        std::os::unix::fs::symlink(&node, &link).unwrap();
        let selector = DeviceSelector::parse(link.to_str().unwrap()).unwrap();
        assert!(selector.matches("", (0, 0), &node));
        assert!(!selector.matches("", (0, 0), &folder.path().join("event4")));
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, does) in [
            ("room:red:mute", "room:red:mute", true),
            ("room:red:mute", "room:red:mute2", false),
            ("input*::mute", "input17::mute", true),
            ("input*::mute", "input17::capslock", false),
            ("*:mute*", "a:mute", true),
            ("*", "", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(fits(pattern, name), does, "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_device_or_none_and_shown_as_it_was_read(text in ".*") {
            if let Some(selector) = DeviceSelector::parse(&text) {
                prop_assert_eq!(DeviceSelector::parse(&selector.to_string()), Some(selector));
            }
        }

        #[test]
        fn a_name_with_a_part_left_out_fits(name in "[a-c:]{0,12}", from in 0_usize..12, to in 0_usize..12) {
            let (from, to) = (from.min(name.len()), to.min(name.len()));
            let (from, to) = (from.min(to), from.max(to));
            let pattern = format!("{}*{}", &name[..from], &name[to..]);
            prop_assert!(fits(&pattern, &name));
        }
    }
}
