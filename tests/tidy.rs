//! Habits of this repository, held to by tests: what `docs/ARCHITECTURE.md` and `CONTRIBUTING.md` say is true of the files.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Lines.
const LONGEST_FILE: usize = 500;

/// Folders that no tool and no person of this project writes.
const NOT_OURS: &[&str] = &[".git", "target", "node_modules"];

#[test]
fn every_module_opens_with_what_it_is_for() {
    for file in files_with("rs") {
        let text = read(&file);
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//! "),
            "{file} opens with {first:?}; say in a line of //! what it holds"
        );
    }
}

#[test]
fn no_file_is_longer_than_one_can_keep_in_mind() {
    for file in files_with("rs") {
        let lines = read(&file).lines().count();
        assert!(
            lines <= LONGEST_FILE,
            "{file} has {lines} lines; above {LONGEST_FILE} it wants to be two"
        );
    }
}

#[test]
fn the_code_map_names_every_folder_and_no_other() {
    let map = read("docs/ARCHITECTURE.md");
    let mapped: BTreeSet<String> = map
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("/` |"))
        .map(|(folder, _)| folder.to_owned())
        .collect();
    let mut there = BTreeSet::new();
    there.extend(folders_of(""));
    there.extend(folders_of("src"));
    assert_eq!(mapped, there, "left: the code map, right: the folders");
}

#[test]
fn the_index_of_the_daemon_names_every_module() {
    let text = read("src/lib.rs");
    let declared: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    let indexed: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("//! | ")?.split_once(" |"))
        .flat_map(|(modules, _)| modules.split(", "))
        .filter_map(|module| module.strip_prefix("[`")?.strip_suffix("`]"))
        .collect();
    assert!(!declared.is_empty());
    assert_eq!(indexed, declared, "left: the index, right: the modules");
}

#[test]
fn the_readme_names_every_subcommand_and_no_other() {
    let commands = <roomd::cli::Cli as clap::CommandFactory>::command();
    let there: BTreeSet<String> = commands
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(|command| command.get_name().to_owned())
        .collect();
    let readme = read("README.md");
    let described: BTreeSet<String> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `roomd ")?.split_once("` |"))
        .map(|(command, _)| command.to_owned())
        .collect();
    assert_eq!(described, there, "left: README.md, right: roomd --help");
}

#[test]
fn every_link_in_the_documents_leads_somewhere() {
    for file in files_with("md") {
        let folder = Path::new(&file).parent().unwrap();
        for target in links(&read(&file)) {
            let is_outside = target.contains("://") || target.starts_with("mailto:");
            let path = target.split('#').next().unwrap_or_default();
            assert!(
                is_outside || path.is_empty() || root().join(folder).join(path).exists(),
                "{file} links to {target}, which is not there"
            );
        }
    }
}

#[test]
fn every_pipeline_is_used() {
    let code: String = files_with("rs").iter().map(|file| read(file)).collect();
    let mut count = 0;
    for file in files() {
        if file.starts_with("pipelines/") && !file.ends_with(".md") {
            count += 1;
            assert!(
                code.contains(&format!("{file}\")")),
                "{file} is included by no module"
            );
        }
    }
    assert!(count > 0, "there are no pipelines");
}

#[test]
fn the_units_start_what_is_there_as_users_who_are_there() {
    let commands = <roomd::cli::Cli as clap::CommandFactory>::command();
    let users = read("systemd/sysusers.d/roomd.conf");
    let units: Vec<String> = files()
        .into_iter()
        .filter(|file| file.starts_with("systemd/") && file.ends_with(".service"))
        .collect();
    assert!(!units.is_empty(), "there are no units");
    for unit in units {
        let text = read(&unit);
        let value = |key: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(key))
                .unwrap_or_else(|| panic!("{unit} has no {key}"))
        };
        let (program, subcommand) = value("ExecStart=").split_once(' ').unwrap();
        assert_eq!(program, "/usr/bin/roomd", "{unit}");
        assert!(
            commands.find_subcommand(subcommand).is_some(),
            "{unit} starts roomd {subcommand}, which does not exist"
        );
        let user = value("User=");
        assert!(
            users
                .lines()
                .any(|line| line.split_whitespace().take(2).eq(["u", user])),
            "{unit} runs as {user}, whom sysusers does not make"
        );
        for mentioned in text.split_whitespace().filter_map(|word| {
            word.split_once("docs/")
                .map(|(_, rest)| rest.trim_end_matches(['.', ',', ')']))
        }) {
            assert!(
                root().join("docs").join(mentioned).exists(),
                "{unit} mentions docs/{mentioned}, which is not there"
            );
        }
    }
}

#[test]
fn nothing_tells_where_it_was_made() {
    // Put together here, so that this file does not find itself.
    let root_home = ["/", "root", "/"].concat();
    let workplace = ["/", "work", "/"].concat();
    let resolved = ["\"", "resolved", "\""].concat();
    for file in files() {
        // Binary files have no lines to read.
        let Ok(text) = fs::read_to_string(root().join(&file)) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let is_address = line.contains("://");
            for path in [&root_home, &workplace] {
                assert!(
                    is_address || !line.contains(path.as_str()),
                    "{file}:{}: a path of one machine: {path}",
                    number + 1
                );
            }
        }
        if file.ends_with("package-lock.json") {
            assert!(
                !text.contains(&resolved),
                "{file} names the registry it was made with; npm config set omit-lockfile-registry-resolved true, then npm install"
            );
        }
        if file == "Cargo.lock" {
            for line in text.lines().filter(|line| line.starts_with("source = ")) {
                assert_eq!(
                    line,
                    "source = \"registry+https://github.com/rust-lang/crates.io-index\""
                );
            }
        }
    }
}

#[test]
fn crates_with_bans_of_their_own_repeat_those_of_all() {
    let common = read("clippy.toml");
    let bans: Vec<&str> = common
        .lines()
        .filter_map(|line| line.trim().strip_prefix("{ path = ")?.split_once(','))
        .map(|(path, _)| path)
        .collect();
    assert!(!bans.is_empty());
    for file in files() {
        if file.ends_with("/clippy.toml") {
            let text = read(&file);
            for ban in &bans {
                assert!(text.contains(ban), "{file} does not ban {ban}");
            }
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Every file of the repository, relative to its root.
fn files() -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            if NOT_OURS.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else {
                found.push(relative(&path));
            }
        }
    }
    found.sort();
    found
}

fn files_with(extension: &str) -> Vec<String> {
    let mut files = files();
    files.retain(|file| {
        Path::new(file)
            .extension()
            .is_some_and(|found| found == extension)
    });
    assert!(!files.is_empty(), "there are no .{extension} files");
    files
}

fn folders_of(folder: &str) -> Vec<String> {
    fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_dir())
        .filter(|entry| NOT_OURS.iter().all(|name| entry.file_name() != *name))
        .map(|entry| relative(&entry.path()))
        .collect()
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap()
        .to_string_lossy()
        .into_owned()
}

/// The targets of Markdown's links and pictures, outside of code blocks.
fn links(text: &str) -> Vec<&str> {
    text.split("```")
        .step_by(2)
        .flat_map(|part| part.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .collect()
}
