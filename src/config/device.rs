//! `[device]`: what the box is called.

use super::{reader::Section, setting::serde_setting, sources::Sources, units::DisplayName};
use crate::mqtt::settings::{DeviceName, MqttConfig};

/// What the box is called.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceConfig {
    /// The box in topics: `<prefix>/<id>/…`. Default: the host's name.
    pub id: DeviceName,
    /// The box for people. Default: the host's name.
    pub name: DisplayName,
    /// What kind of box it is, shown in `info`. Default: none.
    pub model: Option<DisplayName>,
    /// Groups whose commands it takes: `<prefix>/group/<group>/cmd/…`. Default: none.
    pub groups: Vec<DeviceName>,
}

pub(super) fn read(section: &mut Section<'_, '_>, sources: &Sources) -> DeviceConfig {
    let hostname = DisplayName::new(&sources.hostname).unwrap_or_default();
    DeviceConfig {
        id: section.key("id", id_from(&sources.hostname)),
        name: section.key("name", hostname),
        model: section.optional("model", "\"Room box 1\""),
        groups: section.key("groups", Vec::new()),
    }
}

/// A name for topics made of any text: what may not stand there becomes `-`. `roomd` when nothing
/// useful is left.
fn id_from(hostname: &str) -> DeviceName {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let text: String = hostname
        .chars()
        .map(|c| if allowed(c) { c } else { '-' })
        .take(64)
        .collect();
    text.trim_matches('-')
        .parse()
        .unwrap_or_else(|_| MqttConfig::default().device)
}

serde_setting! {
    DeviceName: "1 to 64 letters (a-z, A-Z), digits, - and _, but not \"all\" and \"group\"";
    Vec<DeviceName>: "a list of names, each 1 to 64 letters (a-z, A-Z), digits, - and _, as [\"floor-4\"]";
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hostname_becomes_an_id() {
        for (hostname, id) in [
            ("room-4", "room-4"),
            ("room4.example.org", "room4-example-org"),
            ("", "roomd"),
            ("…", "roomd"),
            ("-a-", "a"),
            ("all", "roomd"),
        ] {
            assert_eq!(id_from(hostname).as_str(), id);
        }
    }

    proptest! {
        #[test]
        fn any_hostname_gives_an_id_that_reads_back(hostname in ".*") {
            let id = id_from(&hostname);
            prop_assert_eq!(id.as_str().parse::<DeviceName>().unwrap(), id);
        }
    }
}
