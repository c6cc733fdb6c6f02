//! A value that may stand behind a key: how it is read, what is allowed, how it is shown.

use std::{net::SocketAddr, path::PathBuf};

use serde::{Serialize, de::DeserializeOwned};
use toml::Value;
use url::Url;

/// A type of the configuration. Reading is the only way to make one from outside text, so that a
/// value of the type cannot be wrong.
pub(super) trait Setting: Sized {
    /// What may be written, for people.
    const ALLOWED: &'static str;
    /// The words that may be written, when there is a list of them.
    const WORDS: &'static [&'static str] = &[];

    /// Reads a value; `Err` says what is wrong beyond [`Self::ALLOWED`], if anything does.
    fn read(value: Value) -> Result<Self, Option<String>>;

    /// The value as it would be written.
    fn show(&self) -> Value;
}

/// Reads by serde.
pub(super) fn read_serde<T: DeserializeOwned>(value: Value) -> Result<T, Option<String>> {
    T::deserialize(value).map_err(|error| Some(error.message().to_owned()))
}

/// Shows by serde.
pub(super) fn show_serde<T: Serialize>(value: &T) -> Value {
    Value::try_from(value).unwrap_or_else(|error| Value::String(format!("(not shown: {error})")))
}

/// Makes a type that serde knows a setting.
macro_rules! serde_setting {
    ($($type:ty: $allowed:literal $([$($word:literal),* $(,)?])?;)*) => {$(
        impl $crate::config::setting::Setting for $type {
            const ALLOWED: &'static str = $allowed;
            $(const WORDS: &'static [&'static str] = &[$($word),*];)?

            fn read(value: toml::Value) -> Result<Self, Option<String>> {
                $crate::config::setting::read_serde(value)
            }

            fn show(&self) -> toml::Value {
                $crate::config::setting::show_serde(self)
            }
        }
    )*};
}
pub(super) use serde_setting;

serde_setting! {
    bool: "true or false";
    String: "a text in quotes";
    SocketAddr: "an address with a port, as \"0.0.0.0:8443\" or \"[::]:8443\"";
    Vec<String>: "a list of texts, as [\"a\", \"b\"]";
}

impl Setting for PathBuf {
    const ALLOWED: &'static str = "an absolute path in quotes";

    fn read(value: Value) -> Result<Self, Option<String>> {
        let path: Self = read_serde(value)?;
        if path.is_absolute() {
            Ok(path)
        } else {
            Err(Some("the path does not begin with /".to_owned()))
        }
    }

    fn show(&self) -> Value {
        Value::String(self.display().to_string())
    }
}

/// Makes an enumeration of words a setting.
macro_rules! words {
    ($($type:ty: $($variant:ident = $word:literal),*;)*) => {$(
        impl $crate::config::setting::Setting for $type {
            const ALLOWED: &'static str = $crate::config::setting::one_of!($($word),*);
            const WORDS: &'static [&'static str] = &[$($word),*];

            fn read(value: toml::Value) -> Result<Self, Option<String>> {
                match value.as_str() {
                    $(Some($word) => Ok(Self::$variant),)*
                    _ => Err(None),
                }
            }

            fn show(&self) -> toml::Value {
                let word = match self {
                    $(Self::$variant => $word,)*
                };
                toml::Value::String(word.to_owned())
            }
        }
    )*};
}
pub(super) use words;

/// "one of "a", "b"" as a constant text.
macro_rules! one_of {
    ($first:literal $(, $word:literal)*) => {
        concat!("one of \"", $first, "\"" $(, ", \"", $word, "\"")*)
    };
}
pub(super) use one_of;

/// The text of a value without what may be secret in an address: a password, a room's key.
pub(super) fn without_secrets(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let end = rest.find(['/', '?', '#', '"']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let authority = match authority.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => authority.to_owned(),
    };
    let tail = match tail.find(['?', '#']) {
        Some(at) => format!("{}?…", &tail[..at]),
        None => tail.to_owned(),
    };
    format!("{scheme}://{authority}{tail}")
}

/// A value for a message, at most a line long.
pub(super) fn shown(value: &Value) -> String {
    const LONGEST: usize = 120;
    let text = match value {
        Value::String(text) => Value::String(without_secrets(text)).to_string(),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(shown).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Table(table) => {
            let pairs: Vec<String> = table
                .iter()
                .map(|(key, value)| match key.as_str() {
                    "credential" | "password" => format!("{key} = …"),
                    _ => format!("{key} = {}", shown(value)),
                })
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        other => other.to_string(),
    };
    let text = text.replace(['\n', '\r'], " ");
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// An address of a service with one of the given schemes and without credentials in it.
pub(super) fn read_url(value: Value, schemes: &[&str]) -> Result<Url, Option<String>> {
    let text: String = read_serde(value)?;
    let url = Url::parse(&text).map_err(|error| Some(error.to_string()))?;
    if !schemes.contains(&url.scheme()) {
        return Err(Some(format!("the scheme is {}", url.scheme())));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Some("it names no host".to_owned()));
    }
    if url.password().is_some() || !url.username().is_empty() {
        return Err(Some(
            "it carries credentials, which have keys of their own".to_owned(),
        ));
    }
    Ok(url)
}

/// The word nearest to what was written, if one is near enough to be meant.
pub(super) fn nearest<'a>(
    written: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let written = written.to_lowercase();
    words
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&written, word), word))
        .filter(|(distance, word)| *distance <= (word.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_their_secrets() {
        for (text, shown) in [
            ("mqtts://box:pass@broker:8883", "mqtts://…@broker:8883"),
            (
                "https://acme.whereby.com/r?roomKey=abc",
                "https://acme.whereby.com/r?…",
            ),
            (
                "https://acme.whereby.com/r#abc",
                "https://acme.whereby.com/r?…",
            ),
            ("a@b", "a@b"),
            ("https://a@b@c/d", "https://…@c/d"),
        ] {
            assert_eq!(without_secrets(text), shown);
        }
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let value = Value::String("é".repeat(500));
        assert_eq!(shown(&value).chars().count(), 121);
    }

    #[test]
    fn the_nearest_word_is_near_or_none() {
        let words = ["url", "display_name", "auto_join"];
        assert_eq!(nearest("dispaly_name", words), Some("display_name"));
        assert_eq!(nearest("AutoJoin", words), Some("auto_join"));
        assert_eq!(nearest("ulr", words), Some("url"));
        assert_eq!(nearest("volume", words), None);
    }
}
