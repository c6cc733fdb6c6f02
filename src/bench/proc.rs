//! What the kernel counts: processor time and memory of programs, read from `/proc`.

use std::{collections::HashMap, fs};

use anyhow::{Context, bail};

/// Length of a tick in seconds. The kernel counts in 1/100 s towards programs whatever it does inside.
const TICK: f64 = 0.01;

/// Processor time of a program so far, in seconds: user and system.
pub(super) fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let ticks = Ticks::parse(&text).with_context(|| format!("{path} is not understood: {text}"))?;
    Ok(ticks.own as f64 * TICK)
}

/// Memory of a program in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Memory {
    /// Its own, and its share of what it shares with others.
    pub(super) pss: f64,
    /// All that is mapped for it, as if it shared nothing.
    pub(super) rss: f64,
}

/// Memory of a program.
pub(super) fn memory(pid: u32) -> anyhow::Result<Memory> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    parse_memory(&text).with_context(|| format!("{path} is not understood: {text}"))
}

fn parse_memory(text: &str) -> Option<Memory> {
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key))?;
        let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes * 1024.0)
    };
    Some(Memory {
        pss: value("Pss:")?,
        rss: value("Rss:")?,
    })
}

/// What a program holds of the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Held {
    /// Threads.
    pub(super) threads: f64,
    /// Open descriptors.
    pub(super) descriptors: f64,
}

/// What a program holds now.
pub(super) fn held(pid: u32) -> anyhow::Result<Held> {
    let count = |what: &str| {
        let path = format!("/proc/{pid}/{what}");
        let entries = fs::read_dir(&path).with_context(|| format!("cannot read {path}"))?;
        anyhow::Ok(entries.count() as f64)
    };
    Ok(Held {
        threads: count("task")?,
        descriptors: count("fd")?,
    })
}

/// What a line of `/proc/<pid>/stat` says, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticks {
    parent: u32,
    own: u64,
    with_ended_children: u64,
}

impl Ticks {
    fn parse(text: &str) -> Option<Self> {
        // The name in parentheses may hold anything, blanks and parentheses too.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<u64>().ok();
        let own = ticks(11)? + ticks(12)?;
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            own,
            with_ended_children: own + ticks(13)? + ticks(14)?,
        })
    }
}

/// A moment from which on the processors are watched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watch {
    busy: u64,
    all: u64,
    own: u64,
}

impl Watch {
    /// Begins now.
    pub(super) fn begin() -> anyhow::Result<Self> {
        let text = fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
        let Some((busy, all)) = parse_processors(&text) else {
            bail!("/proc/stat is not understood");
        };
        let own = tree_ticks(std::process::id())?;
        Ok(Self { busy, all, own })
    }

    /// The share of all processors, 0 to 1, that programs other than this one and its children have
    /// used since.
    pub(super) fn foreign(&self) -> anyhow::Result<f64> {
        let now = Self::begin()?;
        let all = now.all.saturating_sub(self.all).max(1);
        let busy = now.busy.saturating_sub(self.busy);
        let own = now.own.saturating_sub(self.own);
        Ok(busy.saturating_sub(own) as f64 / all as f64)
    }
}

/// Busy and all ticks of all processors together.
fn parse_processors(text: &str) -> Option<(u64, u64)> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    // user nice system idle iowait irq softirq steal; guests are counted in user already.
    let ticks: Vec<u64> = line
        .split_whitespace()
        .take(8)
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let all = ticks.iter().sum();
    let idle = ticks.get(3)? + ticks.get(4)?;
    Some((all - idle, all))
}

/// Ticks of a program, its children and theirs, ended ones included.
fn tree_ticks(root: u32) -> anyhow::Result<u64> {
    let mut programs = HashMap::new();
    for entry in fs::read_dir("/proc").context("cannot read /proc")? {
        let name = entry.context("cannot read /proc")?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        // A program that has ended meanwhile is counted by its parent.
        if let Some(ticks) = fs::read_to_string(format!("/proc/{pid}/stat"))
            .ok()
            .as_deref()
            .and_then(Ticks::parse)
        {
            programs.insert(pid, ticks);
        }
    }
    Ok(sum_of_tree(&programs, root))
}

fn sum_of_tree(programs: &HashMap<u32, Ticks>, root: u32) -> u64 {
    let own = programs
        .get(&root)
        .map_or(0, |ticks| ticks.with_ended_children);
    let children: u64 = programs
        .iter()
        .filter(|(pid, ticks)| ticks.parent == root && **pid != root)
        .map(|(pid, _)| sum_of_tree(programs, *pid))
        .sum();
    own + children
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_program_does_not_confuse_its_ticks() {
        let text = "42 (a) b (c) S 7 42 42 0 -1 4194304 100 0 0 0 250 30 5 6 20 0 9 0 100 1 2 3";
        assert_eq!(
            Ticks::parse(text),
            Some(Ticks {
                parent: 7,
                own: 280,
                with_ended_children: 291
            })
        );
        assert_eq!(Ticks::parse("42 (a) S 7"), None);
    }

    #[test]
    fn waiting_is_not_busy_and_guests_are_not_counted_twice() {
        let text = "cpu  10 20 30 400 50 1 2 3 99 99\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(parse_processors(text), Some((66, 516)));
        assert_eq!(parse_processors("cpu x"), None);
    }

    #[test]
    fn memory_is_read_by_key() {
        let text = "5580-7ff r--p 00000000 00:00 0 [rollup]\nRss:  2048 kB\nPss:  1024 kB\nPss_Dirty: 1 kB\n";
        let memory = parse_memory(text).unwrap();
        assert_eq!((memory.pss, memory.rss), (1_048_576.0, 2_097_152.0));
        assert_eq!(parse_memory("Rss: 1 kB\n"), None);
    }

    #[test]
    fn a_tree_is_all_that_descends_from_its_root() {
        let program = |parent, own| Ticks {
            parent,
            own,
            with_ended_children: own + 1,
        };
        let programs = HashMap::from([
            (1, program(0, 1000)),
            (2, program(1, 10)),
            (3, program(2, 20)),
            (4, program(1, 500)),
        ]);
        assert_eq!(sum_of_tree(&programs, 2), 32);
    }

    #[test]
    fn a_file_that_is_opened_is_held() {
        let before = held(std::process::id()).unwrap();
        let files: Vec<_> = (0..200)
            .map(|_| fs::File::open("/proc/self/stat").unwrap())
            .collect();
        let now = held(std::process::id()).unwrap();
        // Other tests open and close files meanwhile.
        assert!(
            now.descriptors > before.descriptors + 100.0,
            "{now:?} {before:?}"
        );
        drop(files);
        assert!(now.threads >= 1.0);
    }

    #[test]
    fn work_of_this_program_is_not_foreign() {
        let watch = Watch::begin().unwrap();
        let before = cpu_seconds(std::process::id()).unwrap();
        let mut sum = 0u64;
        while cpu_seconds(std::process::id()).unwrap() < before + 0.1 {
            sum = std::hint::black_box(sum.wrapping_mul(31) + 1);
        }
        let again = Watch::begin().unwrap();
        assert!(again.own >= watch.own + 9);
        assert!(memory(std::process::id()).unwrap().pss > 100_000.0);
    }
}
