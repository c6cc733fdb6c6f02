//! One layer of configuration: a TOML file or the environment, as a tree in which every value knows its origin.

use std::{collections::BTreeMap, ops::Range, path::Path};

use serde::Deserialize;
use toml::{
    Spanned, Value,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::problem::{Origin, Problem};

/// A table of a layer.
pub(super) type Nodes = BTreeMap<String, Node>;

/// A value or a table, with its origin.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) origin: Origin,
    pub(super) content: Content,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Table(Nodes),
    Value(Value),
    /// Text of an environment variable: a TOML value or plain text, as the key takes it.
    Text(String),
}

impl Node {
    /// The value as a whole, tables included.
    pub(super) fn value(&self) -> Value {
        match &self.content {
            Content::Table(nodes) => {
                Value::Table(nodes.iter().map(|(k, v)| (k.clone(), v.value())).collect())
            }
            Content::Value(value) => value.clone(),
            Content::Text(text) => Value::String(text.clone()),
        }
    }
}

/// Reads the text of one file. Every mistake of syntax is reported.
pub(super) fn from_toml(path: &Path, text: &str) -> Result<Nodes, Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let file = File { path, text };
    if !errors.is_empty() {
        let problems = errors.iter().map(|e| file.syntax_problem(e)).collect();
        return Err(problems);
    }
    let mut problems = Vec::new();
    let nodes = file.table(table.into_inner(), &mut problems);
    if problems.is_empty() {
        Ok(nodes)
    } else {
        Err(problems)
    }
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    fn table(&self, table: DeTable<'_>, problems: &mut Vec<Problem>) -> Nodes {
        let mut nodes = Nodes::new();
        for (key, value) in table {
            let origin = self.origin(&key.span());
            let content = match self.content(value, problems) {
                Ok(content) => content,
                Err(error) => {
                    problems.push(self.syntax_problem(&error));
                    continue;
                }
            };
            nodes.insert(key.into_inner().into_owned(), Node { origin, content });
        }
        nodes
    }

    fn content(
        &self,
        value: Spanned<DeValue<'_>>,
        problems: &mut Vec<Problem>,
    ) -> Result<Content, toml::de::Error> {
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) => Ok(Content::Table(self.table(table, problems))),
            other => {
                let from = ValueDeserializer::from(Spanned::new(span, other));
                Value::deserialize(from).map(Content::Value)
            }
        }
    }

    fn origin(&self, span: &Range<usize>) -> Origin {
        // The span comes from the parser, but a bad one must not end the program.
        let before = self.text.get(..span.start).unwrap_or_default();
        Origin::File {
            path: self.path.to_owned(),
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
        }
    }

    fn syntax_problem(&self, error: &toml::de::Error) -> Problem {
        Problem {
            origin: self.origin(&error.span().unwrap_or_default()),
            key: String::new(),
            // The message alone: the parser's full text would quote the line, and with it a secret.
            found: error.message().lines().collect::<Vec<_>>().join("; "),
            allowed: "TOML 1.1, for example `name = \"Meeting room 4\"`".to_owned(),
            remedy: "mend the line; texts stand in \"quotes\", sections in [brackets]".to_owned(),
        }
    }
}

/// The node at a key: `room.url`.
pub(super) fn lookup<'a>(layer: &'a Nodes, path: &str) -> Option<&'a Node> {
    match path.split_once('.') {
        None => layer.get(path),
        Some((first, rest)) => match &layer.get(first)?.content {
            Content::Table(below) => lookup(below, rest),
            Content::Value(_) | Content::Text(_) => None,
        },
    }
}

/// Puts the text of a variable at its place: `ROOMD_ROOM__URL` at `room.url`.
pub(super) fn insert_variable(nodes: &mut Nodes, path: &[String], variable: &str, text: &str) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    let origin = Origin::Environment {
        variable: variable.to_owned(),
    };
    if rest.is_empty() {
        let content = Content::Text(text.to_owned());
        nodes.insert(name.clone(), Node { origin, content });
        return;
    }
    let node = nodes.entry(name.clone()).or_insert_with(|| Node {
        origin: origin.clone(),
        content: Content::Table(Nodes::new()),
    });
    if !matches!(node.content, Content::Table(_)) {
        *node = Node {
            origin,
            content: Content::Table(Nodes::new()),
        };
    }
    if let Content::Table(below) = &mut node.content {
        insert_variable(below, rest, variable, text);
    }
}
