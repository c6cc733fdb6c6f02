//! `[state]` and `[log]`: where the box remembers, and what it writes to the journal.

use std::path::PathBuf;

use toml::Value;
use tracing_subscriber::EnvFilter;

use super::{
    reader::Section,
    setting::{Setting, read_serde, words},
    sources::Sources,
};

/// Where the box remembers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateConfig {
    /// An existing or creatable directory that belongs to the service. Default: the unit's
    /// `StateDirectory=`, else `$XDG_STATE_HOME/roomd`, else `~/.local/state/roomd`.
    pub dir: PathBuf,
}

/// What is logged and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Which events. Default: `info`.
    pub level: LogDirectives,
    /// How they are written. Default: auto.
    pub format: LogFormat,
}

/// Directives of `tracing`, as `info` or `info,roomd::mqtt=debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDirectives(String);

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For the journal where standard error leads there, else for people.
    #[default]
    Auto,
    /// With the journal's priority in front of every line and without a time.
    Journal,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogDirectives {
    /// The text, when `tracing` understands it.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let filter: EnvFilter = text.parse().ok()?;
        // An empty text parses and silences everything.
        (!text.trim().is_empty() && filter.max_level_hint().is_some())
            .then(|| Self(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for LogDirectives {
    fn default() -> Self {
        Self("info".to_owned())
    }
}

pub(super) fn read_state(section: &mut Section<'_, '_>, sources: &Sources) -> StateConfig {
    StateConfig {
        dir: section.key("dir", state_directory(sources, "roomd")),
    }
}

pub(super) fn read_log(section: &mut Section<'_, '_>) -> LogConfig {
    LogConfig {
        level: section.key("level", LogDirectives::default()),
        format: section.key("format", LogFormat::Auto),
    }
}

/// The unit's `StateDirectory=`, else `name` where the user's programs keep their state.
pub(super) fn state_directory(sources: &Sources, name: &str) -> PathBuf {
    // systemd separates several directories by colons; ours is the first.
    let of_unit = sources
        .variable("STATE_DIRECTORY")
        .and_then(|list| list.split(':').next());
    if let Some(directory) = of_unit {
        return directory.into();
    }
    let of_user = match (sources.variable("XDG_STATE_HOME"), sources.variable("HOME")) {
        (Some(state), _) => Some(PathBuf::from(state)),
        (None, Some(home)) => Some(PathBuf::from(home).join(".local/state")),
        (None, None) => None,
    };
    of_user.unwrap_or_else(|| "/var/lib".into()).join(name)
}

impl Setting for LogDirectives {
    const ALLOWED: &'static str = "\"error\", \"warn\", \"info\", \"debug\", \"trace\", or directives as \"info,roomd::mqtt=debug\"";
    const WORDS: &'static [&'static str] = &["error", "warn", "info", "debug", "trace", "off"];

    fn read(value: Value) -> Result<Self, Option<String>> {
        let text: String = read_serde(value)?;
        // A lone word that is no level would be the name of a module to `tracing`: `inof` parses.
        let lone = text.chars().all(|c| c.is_ascii_alphabetic());
        if lone && !Self::WORDS.contains(&text.to_lowercase().as_str()) {
            return Err(None);
        }
        Self::new(&text).ok_or(None)
    }

    fn show(&self) -> Value {
        Value::String(self.0.clone())
    }
}

words! {
    LogFormat: Auto = "auto", Journal = "journal", Text = "text", Json = "json";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_directory_is_the_units_then_the_users() {
        let with = |variables: &[(&str, &str)]| {
            let mut sources = Sources::none();
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            sources.environment = variables.iter().map(own).collect();
            state_directory(&sources, "roomd")
        };
        let unit = ("STATE_DIRECTORY", "/var/lib/roomd:/var/lib/other");
        let home = ("HOME", "/home/ada");
        assert_eq!(with(&[home, unit]), PathBuf::from("/var/lib/roomd"));
        assert_eq!(with(&[home]), PathBuf::from("/home/ada/.local/state/roomd"));
        assert_eq!(
            with(&[home, ("XDG_STATE_HOME", "/s")]),
            PathBuf::from("/s/roomd")
        );
        assert_eq!(with(&[]), PathBuf::from("/var/lib/roomd"));
    }
}
