//! Every topic of the interface: the ones published, the ones listened to, and what an incoming
//! one means.

use super::settings::{DeviceName, TopicPrefix};

/// Names a device cannot have, because topics of many devices begin with them.
pub const RESERVED_DEVICES: [&str; 2] = ["all", "group"];

/// Levels below a device that belong to somebody: a reply must not be sent there, or who may only
/// command one box could pretend to be another box or command it.
const OWNED_LEVELS: [&str; 8] = [
    "availability",
    "info",
    "state",
    "event",
    "telemetry",
    "cmd",
    "admin",
    "get",
];

/// The patterns of every topic, as the documentation shows them.
pub const PATTERNS: [&str; 12] = [
    "<base>/availability",
    "<base>/info",
    "<base>/state/<part>",
    "<base>/event/<name>",
    "<base>/cmd/<command>",
    "<base>/admin/<command>",
    "<base>/get",
    "<base>/reply",
    "<prefix>/all/cmd/<command>",
    "<prefix>/all/admin/<command>",
    "<prefix>/group/<group>/cmd/<command>",
    "<prefix>/group/<group>/admin/<command>",
];

/// The topics of one box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topics {
    prefix: String,
    base: String,
    groups: Vec<String>,
}

/// To whom an incoming message is addressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This box alone.
    Own,
    /// Every box.
    All,
    /// Every box of a group.
    Group(String),
}

/// Which rights an incoming message needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A room or media command.
    Cmd,
    /// An administrative command.
    Admin,
}

impl Kind {
    /// The topic level.
    #[must_use]
    pub fn level(self) -> &'static str {
        match self {
            Self::Cmd => "cmd",
            Self::Admin => "admin",
        }
    }
}

/// What an incoming topic means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// A command.
    Command {
        /// For whom.
        scope: Scope,
        /// Which rights.
        kind: Kind,
        /// Its name, not checked.
        name: String,
    },
    /// Publish state again.
    Get,
}

impl Topics {
    /// The topics of `device` in `groups` below `prefix`.
    #[must_use]
    pub fn new(prefix: &TopicPrefix, device: &DeviceName, groups: &[DeviceName]) -> Self {
        Self {
            prefix: prefix.to_string(),
            base: format!("{prefix}/{device}"),
            groups: groups.iter().map(ToString::to_string).collect(),
        }
    }

    /// `<base>/availability`
    #[must_use]
    pub fn availability(&self) -> String {
        format!("{}/availability", self.base)
    }

    /// `<base>/info`
    #[must_use]
    pub fn info(&self) -> String {
        format!("{}/info", self.base)
    }

    /// `<base>/state/<part>`
    #[must_use]
    pub fn state(&self, part: &str) -> String {
        format!("{}/state/{part}", self.base)
    }

    /// `<base>/event/<name>`
    #[must_use]
    pub fn event(&self, name: &str) -> String {
        format!("{}/event/{name}", self.base)
    }

    /// `<base>/reply`
    #[must_use]
    pub fn reply(&self) -> String {
        format!("{}/reply", self.base)
    }

    /// `<base>/get`
    #[must_use]
    pub fn get(&self) -> String {
        format!("{}/get", self.base)
    }

    /// `<base>/cmd/<command>` or `<base>/admin/<command>`
    #[must_use]
    pub fn command(&self, kind: Kind, name: &str) -> String {
        format!("{}/{}/{name}", self.base, kind.level())
    }

    /// What the box subscribes to.
    #[must_use]
    pub fn filters(&self) -> Vec<String> {
        let mut filters = vec![self.get()];
        let groups = self
            .groups
            .iter()
            .map(|group| format!("{}/group/{group}", self.prefix));
        for root in [self.base.clone(), format!("{}/all", self.prefix)]
            .into_iter()
            .chain(groups)
        {
            for kind in [Kind::Cmd, Kind::Admin] {
                filters.push(format!("{root}/{}/+", kind.level()));
            }
        }
        filters
    }

    /// What a message on `topic` means, `None` when it is none of the box's.
    #[must_use]
    pub fn parse(&self, topic: &str) -> Option<Inbound> {
        if let Some(rest) = below(topic, &self.base) {
            if rest == "get" {
                return Some(Inbound::Get);
            }
            return command(rest, Scope::Own);
        }
        let rest = below(topic, &self.prefix)?;
        if let Some(rest) = below(rest, "all") {
            return command(rest, Scope::All);
        }
        let (group, rest) = below(rest, "group")?.split_once('/')?;
        if !self.groups.iter().any(|own| own == group) {
            return None;
        }
        command(rest, Scope::Group(group.to_owned()))
    }

    /// Whether a reply may be sent to `topic`: below `<prefix>/` or below one of `allowed`, no
    /// wildcard, and not where devices are commanded or publish their state.
    #[must_use]
    pub fn may_reply_to(&self, topic: &str, allowed: &[TopicPrefix]) -> bool {
        if topic.is_empty()
            || topic.len() > 512
            || topic.contains(['+', '#'])
            || topic.chars().any(char::is_control)
        {
            return false;
        }
        if let Some(rest) = below(topic, &self.prefix) {
            let levels: Vec<&str> = rest.split('/').collect();
            let owned = if levels[0] == "group" {
                levels.get(2)
            } else {
                levels.get(1)
            };
            return !rest.is_empty() && !owned.is_some_and(|level| OWNED_LEVELS.contains(level));
        }
        allowed
            .iter()
            .any(|prefix| below(topic, prefix.as_str()).is_some_and(|rest| !rest.is_empty()))
    }
}

fn below<'a>(topic: &'a str, root: &str) -> Option<&'a str> {
    topic.strip_prefix(root)?.strip_prefix('/')
}

fn command(rest: &str, scope: Scope) -> Option<Inbound> {
    let (level, name) = rest.split_once('/')?;
    let kind = [Kind::Cmd, Kind::Admin]
        .into_iter()
        .find(|kind| kind.level() == level)?;
    if name.is_empty() || name.contains('/') {
        return None;
    }
    Some(Inbound::Command {
        scope,
        kind,
        name: name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn topics() -> Topics {
        Topics::new(
            &"site/roomd".parse().unwrap(),
            &"wall".parse().unwrap(),
            &["floor_2".parse().unwrap()],
        )
    }

    fn command(scope: Scope, kind: Kind, name: &str) -> Option<Inbound> {
        Some(Inbound::Command {
            scope,
            kind,
            name: name.to_owned(),
        })
    }

    #[test]
    fn every_topic_lies_below_the_base() {
        let topics = topics();
        assert_eq!(topics.availability(), "site/roomd/wall/availability");
        assert_eq!(topics.state("room"), "site/roomd/wall/state/room");
        assert_eq!(
            topics.command(Kind::Admin, "reboot"),
            "site/roomd/wall/admin/reboot"
        );
        assert_eq!(topics.filters().len(), 7);
    }

    #[test]
    fn an_incoming_topic_tells_scope_kind_and_name() {
        let topics = topics();
        for (topic, expected) in [
            ("site/roomd/wall/get", Some(Inbound::Get)),
            (
                "site/roomd/wall/cmd/knock",
                command(Scope::Own, Kind::Cmd, "knock"),
            ),
            (
                "site/roomd/wall/admin/reboot",
                command(Scope::Own, Kind::Admin, "reboot"),
            ),
            (
                "site/roomd/all/cmd/standby",
                command(Scope::All, Kind::Cmd, "standby"),
            ),
            (
                "site/roomd/group/floor_2/cmd/wake",
                command(Scope::Group("floor_2".to_owned()), Kind::Cmd, "wake"),
            ),
            ("site/roomd/group/floor_3/cmd/wake", None),
            ("site/roomd/desk/cmd/wake", None),
            ("site/roomd/wall/state/room", None),
            ("site/roomd/wall/cmd/a/b", None),
            ("site/roomd/wall/cmd/", None),
            ("site/roomd/wallet/cmd/knock", None),
        ] {
            assert_eq!(topics.parse(topic), expected, "{topic}");
        }
    }

    #[test]
    fn a_reply_may_go_below_the_prefix_or_the_allow_list_but_not_where_others_own_the_topic() {
        let allowed = ["client".parse().unwrap()];
        for (topic, may) in [
            ("site/roomd/wall/reply", true),
            ("site/roomd/controller-7", true),
            ("site/roomd/controller-7/replies", true),
            ("client/7", true),
            ("client", false),
            ("site/roomd/", false),
            ("elsewhere/7", false),
            ("site/roomd/desk/cmd/leave_room", false),
            ("site/roomd/all/cmd/leave_room", false),
            ("site/roomd/group/floor_2/admin/reboot", false),
            ("site/roomd/desk/state/room", false),
            ("site/roomd/+", false),
            ("", false),
        ] {
            assert_eq!(topics().may_reply_to(topic, &allowed), may, "{topic}");
        }
    }

    proptest! {
        #[test]
        fn whatever_topic_arrives_is_parsed_without_panic(topic in ".{0,80}") {
            let _ = topics().parse(&topic);
            let _ = topics().may_reply_to(&topic, &[]);
        }

        #[test]
        fn a_command_topic_is_parsed_back(name in "[a-z_]{1,30}") {
            let topics = topics();
            prop_assert_eq!(
                topics.parse(&topics.command(Kind::Cmd, &name)),
                command(Scope::Own, Kind::Cmd, &name)
            );
        }
    }
}
