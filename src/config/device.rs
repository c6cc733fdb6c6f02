//! `[device]`: what the box is called.

use super::{
    reader::Section,
    sources::Sources,
    units::{DisplayName, Identifier},
};

/// What the box is called.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceConfig {
    /// The box in topics: `<prefix>/<id>/…`. Default: the host's name.
    pub id: Identifier,
    /// The box for people. Default: the host's name.
    pub name: DisplayName,
    /// What kind of box it is, shown in `info`. Default: none.
    pub model: Option<DisplayName>,
    /// Groups whose commands it takes: `<prefix>/group/<group>/cmd/…`. Default: none.
    pub groups: Vec<Identifier>,
}

pub(super) fn read(section: &mut Section<'_, '_>, sources: &Sources) -> DeviceConfig {
    let id = Identifier::from_any(&sources.hostname, "roomd");
    let name = DisplayName::new(&sources.hostname).unwrap_or_else(|| id.clone().into());
    let id = section.key("id", id);
    let name = section.key("name", name);
    DeviceConfig {
        id,
        name,
        model: section.optional("model", "\"Room box 1\""),
        groups: section.key("groups", Vec::new()),
    }
}
