//! docs/conformance.md: what is to be shown, and the test that shows it. `UPDATE_CONFORMANCE=1` writes it.
//!
//! A test says what it shows in comments before it: `// conformance: action.lockRoom event.room:joined [client, mqtt]`.
//! A check of an invariant says so in its documentation: `Room-connection reference §7, invariant 3`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

const PAGE: &str = "docs/conformance.md";

const OPENING: &str = "\
# Conformance

What Whereby's SDK (core 1.20.3) says of its RoomConnection, and the tests that show that it is so here. Made by
`UPDATE_CONFORMANCE=1 cargo test --test conformance` from `tests/conformance/rows.toml` and from the comments
`// conformance:` before the tests; a test fails when this page is not what they say. `./test` runs every test that is
named here, and fails when one of them does.

The columns: **client** is the state machine of the box, **server** the room server, **mqtt** what a controller sends and
sees, **sdk** the comparison with the unmodified SDK in a browser. A row can be shown by several tests; one is named. *missing*
means that no test says that it shows this: the thing may be there all the same, but nothing proves it. — with a number means
that it cannot be shown there, for the reason of that number below the tables; such cells do not count.
";

#[derive(Deserialize)]
struct Rows {
    group: Vec<Group>,
    not_applicable: Vec<NotApplicable>,
}

/// Cells that can never be filled.
#[derive(Deserialize)]
struct NotApplicable {
    /// Why, in a sentence.
    reason: String,
    /// `<row> [<columns>]`; a row that ends with `*` means all that begin so.
    cells: Vec<String>,
}

#[derive(Deserialize)]
struct Group {
    title: String,
    prefix: String,
    columns: Vec<String>,
    rows: Vec<String>,
}

/// A row and a column.
type Cell = (String, String);

/// Cell → file and name of the tests.
type Shown = BTreeMap<Cell, BTreeSet<(String, String)>>;

/// Cell → number of the reason, from 1.
type Impossible = BTreeMap<Cell, usize>;

impl Rows {
    fn read() -> Self {
        toml::from_str(&read("tests/conformance/rows.toml")).unwrap()
    }

    /// Every cell of the page.
    fn cells(&self) -> BTreeSet<Cell> {
        let rows = self.group.iter().flat_map(|group| {
            let names = group.rows.iter();
            names.map(move |row| (format!("{}.{row}", group.prefix), &group.columns))
        });
        rows.flat_map(|(row, columns)| {
            let columns = columns.iter();
            columns.map(move |column| (row.clone(), column.clone()))
        })
        .collect()
    }

    /// What can never be shown, each cell for one reason.
    fn impossible(&self) -> Impossible {
        let known = self.cells();
        let mut impossible = Impossible::new();
        for (index, entry) in self.not_applicable.iter().enumerate() {
            assert!(
                entry.reason.len() > 20 && entry.reason.ends_with('.'),
                "not a sentence: {}",
                entry.reason
            );
            for pattern in &entry.cells {
                let (row, columns) = cells_of(pattern).unwrap_or_else(|| {
                    panic!("{pattern}: a row, or its beginning and *, then [columns]")
                });
                for column in columns {
                    let named = known.iter().filter(|(name, of)| {
                        let is_row = match row.strip_suffix('*') {
                            Some(beginning) => name.starts_with(beginning),
                            None => name == row,
                        };
                        is_row && of == column
                    });
                    let mut named = named.peekable();
                    assert!(named.peek().is_some(), "{pattern}: no row has [{column}]");
                    for cell in named {
                        let twice = impossible.insert(cell.clone(), index + 1);
                        assert!(twice.is_none(), "two reasons for {cell:?}");
                    }
                }
            }
        }
        impossible
    }
}

/// `row row [column, column]` in its two parts.
fn cells_of(text: &str) -> Option<(&str, impl Iterator<Item = &str>)> {
    let (rows, columns) = text.strip_suffix(']')?.split_once(" [")?;
    Some((rows, columns.split(", ")))
}

#[test]
fn the_page_names_for_each_row_a_test_that_is_there() {
    let rows = Rows::read();
    let known = rows.cells();
    let shown = shown();
    for ((row, column), tests) in &shown {
        let is_known = known.contains(&(row.clone(), column.clone()));
        assert!(
            is_known,
            "there is no row {row} [{column}], which {tests:?} shows"
        );
    }
    let page = render(&rows, &shown);
    if std::env::var_os("UPDATE_CONFORMANCE").is_some() {
        fs::write(root().join(PAGE), &page).unwrap();
    }
    let there = fs::read_to_string(root().join(PAGE)).unwrap_or_default();
    assert!(
        there == page,
        "{PAGE} is not what the tests say; UPDATE_CONFORMANCE=1 cargo test --test conformance writes it"
    );
}

#[test]
fn what_is_said_to_be_impossible_is_claimed_by_no_test() {
    let impossible = Rows::read().impossible();
    for (cell, tests) in shown() {
        assert!(
            !impossible.contains_key(&cell),
            "{cell:?} cannot be shown, says rows.toml, and {tests:?} shows it"
        );
    }
}

#[test]
fn the_reference_is_complete() {
    let rows = Rows::read();
    let count = |prefix: &str| {
        let group = rows
            .group
            .iter()
            .find(|group| group.prefix == prefix)
            .unwrap();
        let unique: BTreeSet<_> = group.rows.iter().collect();
        assert_eq!(unique.len(), group.rows.len(), "{prefix}: a row twice");
        unique.len()
    };
    let counts = [
        "action",
        "event",
        "notification",
        "status",
        "transition",
        "joinError",
        "invariant",
    ]
    .map(count);
    assert_eq!(counts, [55, 22, 14, 12, 16, 20, 55]);
}

/// What the tests say that they show.
fn shown() -> Shown {
    let mut shown = Shown::new();
    for file in files() {
        collect(&file, &read(&file), &mut shown);
    }
    shown
}

/// Reads the comments of a file.
fn collect(file: &str, text: &str, shown: &mut Shown) {
    let mut waiting: Vec<(String, String)> = Vec::new();
    for (number, line) in text.lines().map(str::trim).enumerate() {
        if let Some(marker) = line.strip_prefix("// conformance: ") {
            let (rows, columns) = cells_of(marker)
                .unwrap_or_else(|| panic!("{file}:{}: rows, then [columns]", number + 1));
            for column in columns {
                let rows = rows.split_whitespace();
                waiting.extend(rows.map(|row| (row.to_owned(), column.to_owned())));
            }
        }
        if let Some((_, rest)) = line.split_once("Room-connection reference §7, invariant ")
            && line.starts_with("///")
        {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            waiting.push((format!("invariant.{digits}"), "client".to_owned()));
        }
        if let Some(name) = test_name(line) {
            for key in waiting.drain(..) {
                shown
                    .entry(key)
                    .or_default()
                    .insert((file.to_owned(), name.clone()));
            }
        }
    }
    assert!(
        waiting.is_empty(),
        "{file}: no test follows the marker of {waiting:?}"
    );
}

/// The name of the test, or of the check, that a line begins.
fn test_name(line: &str) -> Option<String> {
    if let Some(rest) = line.strip_prefix("test(").or(line.strip_prefix("flow(")) {
        let quote = rest.chars().next()?;
        return Some(rest[1..].split(quote).next()?.to_owned());
    }
    let line = line.strip_prefix("pub(super) ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let name = line.strip_prefix("fn ")?;
    Some(name.split(['(', '<']).next()?.to_owned())
}

fn render(rows: &Rows, shown: &Shown) -> String {
    let impossible = rows.impossible();
    let mut page = OPENING.to_owned();
    let mut sum = String::new();
    let mut body = String::new();
    for group in &rows.group {
        let header = group.columns.join(" | ");
        writeln!(body, "\n## {}\n\n| | {header} |", group.title).unwrap();
        writeln!(body, "|---|{}", "---|".repeat(group.columns.len())).unwrap();
        // Shown, and could be shown.
        let mut counts = vec![(0, 0); group.columns.len()];
        for row in &group.rows {
            let mut cells = Vec::new();
            for (column, (done, of)) in group.columns.iter().zip(&mut counts) {
                let cell = (format!("{}.{row}", group.prefix), column.clone());
                if let Some(number) = impossible.get(&cell) {
                    cells.push(format!("—[^{number}]"));
                    continue;
                }
                *of += 1;
                cells.push(match shown.get(&cell).and_then(|tests| tests.first()) {
                    Some((file, name)) => {
                        *done += 1;
                        // A name of a template is shown as far as it is the same for all.
                        format!("{} ([{}](../{file}))", name.replace('_', " "), stem(file))
                    }
                    None => "*missing*".to_owned(),
                });
            }
            writeln!(body, "| `{row}` | {} |", cells.join(" | ")).unwrap();
        }
        let counted = group.columns.iter().zip(counts);
        let counted: Vec<String> = counted
            .map(|(column, (done, of))| format!("{column} {done}/{of}"))
            .collect();
        let count = group.rows.len();
        writeln!(
            sum,
            "| {} | {count} | {} |",
            group.title,
            counted.join(", ")
        )
        .unwrap();
    }
    write!(
        page,
        "\n| | rows | shown of what can be |\n|---|---|---|\n{sum}{body}"
    )
    .unwrap();
    page.push_str("\n## What cannot be shown\n\n");
    for (index, entry) in rows.not_applicable.iter().enumerate() {
        writeln!(page, "[^{}]: {}", index + 1, entry.reason).unwrap();
    }
    // One line feed at the end.
    format!("{}\n", page.trim_end())
}

fn stem(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.split('.').next().unwrap_or(name)
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Every file that may hold tests, relative to the root.
fn files() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let is_other = path.ends_with("node_modules") || path.ends_with("tests/conformance");
            if path.is_dir() && !is_other {
                folders.push(path);
            } else if holds_tests(&path) {
                let path = path.strip_prefix(root()).unwrap();
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

fn holds_tests(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.is_file()
        && [".rs", ".test.mjs", "_flow.mjs"]
            .iter()
            .any(|ending| name.ends_with(ending))
}
