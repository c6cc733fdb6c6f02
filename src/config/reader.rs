//! Reads keys one by one out of the layers: the topmost layer that has a key decides, and every
//! mistake is collected instead of ending the reading.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use roomd_protocol::Secret;
use serde::Serialize;
use toml::{Value, de::DeValue};

use super::{
    layer::{Content, Node, Nodes, lookup},
    problem::{Origin, Problem},
    secret,
    setting::{Setting, nearest, shown},
    sources::Sources,
};

/// A key as the program knows it, with the value in effect.
#[derive(Clone, Debug, Serialize)]
pub struct Key {
    /// The key, with its section.
    pub key: String,
    /// The value in effect: `None` when there is none, `"(secret)"` in place of a secret.
    pub value: Option<Value>,
    /// Where it comes from.
    pub origin: Origin,
    /// What may be written.
    pub allowed: &'static str,
    /// An example of a value, for keys without a default.
    #[serde(skip)]
    pub example: Option<&'static str>,
    /// Whether it stands in a file at all: secrets do not.
    #[serde(skip)]
    pub in_files: bool,
}

/// The state of a reading.
pub(super) struct Reader<'a> {
    layers: &'a [Nodes],
    sources: &'a Sources,
    keys: Vec<Key>,
    sections: Vec<String>,
    problems: Vec<Problem>,
}

/// One section while it is read.
pub(super) struct Section<'r, 'a> {
    reader: &'r mut Reader<'a>,
    path: String,
}

impl<'a> Reader<'a> {
    pub(super) fn new(layers: &'a [Nodes], sources: &'a Sources, problems: Vec<Problem>) -> Self {
        Self {
            layers,
            sources,
            keys: Vec::new(),
            sections: Vec::new(),
            problems,
        }
    }

    pub(super) fn section(&mut self, name: &str) -> Section<'_, 'a> {
        self.sections.push(name.to_owned());
        Section {
            reader: self,
            path: name.to_owned(),
        }
    }

    /// Ends the reading: what nobody asked for is a mistake as well.
    pub(super) fn finish(mut self) -> (Vec<Key>, Vec<Problem>) {
        for layer in self.layers {
            self.report_unknown("", layer);
        }
        (self.keys, self.problems)
    }

    fn find(&self, path: &str) -> Option<&'a Node> {
        self.layers
            .iter()
            .rev()
            .find_map(|layer| lookup(layer, path))
    }

    fn report_unknown(&mut self, above: &str, nodes: &Nodes) {
        for (name, node) in nodes {
            let path = join(above, name);
            if self.keys.iter().any(|key| key.key == path) {
                continue;
            }
            if !self.sections.contains(&path) {
                let problem = self.unknown(&path, node);
                self.problems.push(problem);
            } else if let Content::Table(below) = &node.content {
                self.report_unknown(&path, below);
            } else {
                self.problems.push(Problem {
                    origin: node.origin.clone(),
                    key: path.clone(),
                    found: shown(&node.value()),
                    allowed: "a section with keys of its own".to_owned(),
                    remedy: format!("write [{path}] and the keys below it"),
                });
            }
        }
    }

    fn unknown(&self, path: &str, node: &Node) -> Problem {
        let known: Vec<&str> = (self.keys.iter().map(|key| key.key.as_str()))
            .chain(self.sections.iter().map(String::as_str))
            .collect();
        let (above, name) = path.rsplit_once('.').unwrap_or(("", path));
        let siblings: Vec<&str> = known
            .iter()
            .filter(|known| known.rsplit_once('.').unwrap_or(("", known)).0 == above)
            .map(|known| known.rsplit_once('.').map_or(*known, |(_, name)| name))
            .collect();
        let elsewhere = || {
            let same_name =
                |known: &&&str| known.rsplit_once('.').is_some_and(|(_, last)| last == name);
            let found = known.iter().find(same_name).copied();
            found.or_else(|| nearest(path, known.iter().copied()))
        };
        let meant = nearest(name, siblings.iter().copied())
            .map(|sibling| join(above, sibling))
            .or_else(|| elsewhere().map(str::to_owned));
        let remedy = match meant {
            Some(meant) => format!("did you mean {meant}? Otherwise remove it"),
            None => "remove it".to_owned(),
        };
        let place = if above.is_empty() {
            "at the top".to_owned()
        } else {
            format!("in [{above}]")
        };
        Problem {
            origin: node.origin.clone(),
            key: path.to_owned(),
            // Without the value: a mistyped key may stand before a secret.
            found: format!("{name}, which is not known {place}"),
            allowed: siblings.join(", "),
            remedy,
        }
    }
}

impl<'a> Section<'_, 'a> {
    /// A section below this one.
    pub(super) fn section(&mut self, name: &str) -> Section<'_, 'a> {
        let path = join(&self.path, name);
        self.reader.section(&path)
    }

    /// A key with a default.
    pub(super) fn key<T: Setting>(&mut self, name: &str, default: T) -> T {
        let example = shown(&default.show());
        match self.read::<T>(name, &example, None) {
            Some(value) => value,
            None => {
                // Recorded by `read` without a value, because it does not know the default.
                if let Some(key) = self.reader.keys.last_mut() {
                    key.value = Some(default.show());
                }
                default
            }
        }
    }

    /// A key that may be absent; `example` is a value as it would be written.
    pub(super) fn optional<T: Setting>(&mut self, name: &str, example: &'static str) -> Option<T> {
        self.read(name, example, Some(example))
    }

    /// A secret: from the credential `<section>-<name>`, from the environment, or from the file
    /// that the key `<name>_file` names; the first of these that is there.
    pub(super) fn secret(&mut self, name: &'static str, example: &'static str) -> Option<Secret> {
        let path = join(&self.path, name);
        let file_key = format!("{name}_file");
        let named = self.optional::<PathBuf>(&file_key, example);
        let credential = path.replace(['.', '_'], "-");
        self.refuse_in_files(&path, &credential);

        let wanted = self.reader.sources.secrets.include(&self.path);
        let found = wanted
            .then(|| self.read_credential(&path, &credential))
            .flatten()
            .or_else(|| self.read_environment(&path))
            .or_else(|| {
                let file = named.filter(|_| wanted)?;
                let origin = Origin::SecretFile { path: file.clone() };
                self.read_secret_file(&join(&self.path, &file_key), &file, origin, true)
            });
        let (value, origin) = match found {
            Some((secret, origin)) => (Some(secret), origin),
            None => (None, Origin::Default),
        };
        self.reader.keys.push(Key {
            key: path,
            value: value.as_ref().map(|_| Value::String("(secret)".to_owned())),
            origin,
            allowed: "a secret: a credential, a file of mode 0600 or the environment",
            example: None,
            in_files: false,
        });
        value
    }

    /// The path of a file that nobody else may read, as the private key of a certificate: the
    /// credential `<section>-<name>`, else the file that the key names.
    pub(super) fn private_file(&mut self, name: &str, example: &'static str) -> Option<PathBuf> {
        let named = self.optional::<PathBuf>(name, example);
        let credential = join(&self.path, name).replace(['.', '_'], "-");
        let of_systemd = self.credential(&credential).filter(|file| file.exists());
        if let Some(file) = of_systemd {
            if let Some(key) = self.reader.keys.last_mut() {
                key.value = Some(file.show());
                key.origin = Origin::Credential { path: file.clone() };
            }
            return Some(file);
        }
        if let Some(file) = &named {
            self.check_private_file(name, file);
        }
        named
    }

    /// Whether this program is the one that will read the files which this section names.
    pub(super) fn reads_files(&self) -> bool {
        self.reader.sources.secrets.include(&self.path)
    }

    /// Refuses a file that others than the service's user may read.
    pub(super) fn check_private_file(&mut self, name: &str, file: &Path) {
        if !self.reads_files() {
            return;
        }
        if let Err(error) = secret::open_private(file, self.reader.sources.user_id) {
            self.refuse(
                name,
                error.to_string(),
                "a file that the service's user alone may read (mode 0600)",
                error.remedy(),
            );
        }
    }

    fn credential(&self, name: &str) -> Option<PathBuf> {
        let directory = self.reader.sources.credentials_directory.as_ref()?;
        Some(directory.join(name))
    }

    /// Reports a mistake that shows only when several keys are seen together, or in a value that
    /// was already read.
    pub(super) fn refuse(&mut self, name: &str, found: String, allowed: &str, remedy: String) {
        let key = join(&self.path, name);
        let origin = self
            .reader
            .find(&key)
            .map_or(Origin::Default, |node| node.origin.clone());
        self.reader.problems.push(Problem {
            origin,
            key,
            found,
            allowed: allowed.to_owned(),
            remedy,
        });
    }

    fn read<T: Setting>(
        &mut self,
        name: &str,
        example: &str,
        shown_example: Option<&'static str>,
    ) -> Option<T> {
        let path = join(&self.path, name);
        let node = self.reader.find(&path);
        let value = node.and_then(|node| match read_node::<T>(node) {
            Ok(value) => Some(value),
            Err(why) => {
                let problem = wrong_value::<T>(&path, node, why, example);
                self.reader.problems.push(problem);
                None
            }
        });
        self.reader.keys.push(Key {
            key: path,
            value: value.as_ref().map(Setting::show),
            origin: node.map_or(Origin::Default, |node| node.origin.clone()),
            allowed: T::ALLOWED,
            example: shown_example,
            in_files: true,
        });
        value
    }

    fn refuse_in_files(&mut self, path: &str, credential: &str) {
        for layer in self.reader.layers {
            let Some(node) = lookup(layer, path) else {
                continue;
            };
            if matches!(node.content, Content::Text(_)) {
                continue;
            }
            self.reader.problems.push(Problem {
                origin: node.origin.clone(),
                key: path.to_owned(),
                found: "a secret in a configuration file".to_owned(),
                allowed: format!("the credential {credential}, or a file of mode 0600 named by {path}_file"),
                remedy: format!(
                    "put it into a file, `chmod 600` it, name it by {path}_file or by LoadCredential={credential}:…, and remove it here"
                ),
            });
        }
    }

    fn read_credential(&mut self, path: &str, credential: &str) -> Option<(Secret, Origin)> {
        let file = self
            .reader
            .sources
            .credentials_directory
            .as_ref()?
            .join(credential);
        if !file.exists() {
            return None;
        }
        let origin = Origin::Credential { path: file.clone() };
        self.read_secret_file(path, &file, origin, false)
    }

    fn read_environment(&mut self, path: &str) -> Option<(Secret, Origin)> {
        let node = self.reader.find(path)?;
        match &node.content {
            Content::Text(text) if !text.is_empty() => {
                Some((text.as_str().into(), node.origin.clone()))
            }
            _ => None,
        }
    }

    fn read_secret_file(
        &mut self,
        key: &str,
        file: &Path,
        origin: Origin,
        private: bool,
    ) -> Option<(Secret, Origin)> {
        let user = private.then_some(self.reader.sources.user_id);
        match secret::read(file, user) {
            Ok(secret) => Some((secret, origin)),
            Err(error) => {
                let remedy = error.remedy();
                self.reader.problems.push(Problem {
                    origin,
                    key: key.to_owned(),
                    found: error.to_string(),
                    allowed: "a file of one line that its owner, the service's user, alone may read (mode 0600)"
                        .to_owned(),
                    remedy,
                });
                None
            }
        }
    }
}

/// Every secret that the sections know would be hidden; this is for tests and documents.
pub(super) fn by_section(keys: &[Key]) -> BTreeMap<&str, Vec<&Key>> {
    let mut sections: BTreeMap<&str, Vec<&Key>> = BTreeMap::new();
    for key in keys {
        let section = key.key.rsplit_once('.').map_or("", |(section, _)| section);
        sections.entry(section).or_default().push(key);
    }
    sections
}

fn join(above: &str, name: &str) -> String {
    if above.is_empty() {
        name.to_owned()
    } else {
        format!("{above}.{name}")
    }
}

fn read_node<T: Setting>(node: &Node) -> Result<T, Option<String>> {
    let Content::Text(text) = &node.content else {
        return T::read(node.value());
    };
    // A variable holds a TOML value where the key takes one, and plain text otherwise.
    let plain = T::read(Value::String(text.clone()));
    if let Ok(value) = text_as_toml(text)
        && let Ok(setting) = T::read(value)
    {
        return Ok(setting);
    }
    plain
}

fn text_as_toml(text: &str) -> Result<Value, toml::de::Error> {
    use serde::Deserialize;
    let value = DeValue::parse(text)?;
    Value::deserialize(toml::de::ValueDeserializer::from(value))
}

fn wrong_value<T: Setting>(path: &str, node: &Node, why: Option<String>, example: &str) -> Problem {
    let value = match &node.content {
        Content::Text(text) => text_as_toml(text).unwrap_or_else(|_| node.value()),
        _ => node.value(),
    };
    let found = match why {
        Some(why) => {
            let why = why.lines().next().unwrap_or_default().to_owned();
            format!("{} ({why})", shown(&value))
        }
        None => shown(&value),
    };
    let meant = value
        .as_str()
        .and_then(|text| nearest(text, T::WORDS.iter().copied()));
    let name = path.rsplit_once('.').map_or(path, |(_, name)| name);
    let remedy = match (meant, &node.origin) {
        (Some(meant), _) => format!("did you mean \"{meant}\"?"),
        (None, Origin::Environment { variable }) => {
            format!("set {variable}={example}, or unset it")
        }
        (None, _) => format!("write for example {name} = {example}, or remove the line"),
    };
    Problem {
        origin: node.origin.clone(),
        key: path.to_owned(),
        found,
        allowed: T::ALLOWED.to_owned(),
        remedy,
    }
}
