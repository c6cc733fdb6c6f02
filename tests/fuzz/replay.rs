//! Every input of the corpus, then random changes of them for a few seconds: one test for each target.
//!
//! `FUZZ_SECONDS` says for how long (5), or `FUZZ_CASES` for how many cases; `FUZZ_SEED` repeats a run.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests may panic")]

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rand::{SeedableRng, rngs::StdRng};
use roomd_fuzz::{TARGETS, Target, mutation, target};

/// No input may take longer.
const SLOWEST: Duration = Duration::from_secs(2);

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                withstands(stringify!($name));
            }
        )*

        #[test]
        fn every_target_has_a_test_and_a_corpus() {
            let tested = [$(stringify!($name)),*];
            let there: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(tested[..], there[..]);
            for name in there {
                assert!(corpus(name).len() >= 3, "corpus/{name} has next to nothing to begin with");
            }
        }
    };
}

targets!(
    engine_io_frame,
    socket_io_packet,
    client_messages,
    server_messages,
    room_connection,
    rooms,
    session_description,
    ice,
    room_url,
    rest_bodies,
    keys,
    mqtt_message,
    state_file,
    configuration,
    signal_trace,
);

#[test]
fn the_corpora_are_small() {
    let size: usize = TARGETS
        .iter()
        .flat_map(|target| corpus(target.name))
        .map(|(_, bytes)| bytes.len())
        .sum();
    assert!(size < 1_000_000, "{size} bytes");
}

fn withstands(name: &str) {
    let target = target(name).expect("a target");
    let corpus = corpus(name);
    for (path, bytes) in &corpus {
        attempt(target, bytes, &path.display().to_string());
    }
    let seed = number("FUZZ_SEED").unwrap_or_else(rand::random);
    let mut random = StdRng::seed_from_u64(seed);
    let inputs: Vec<_> = corpus.into_iter().map(|(_, bytes)| bytes).collect();
    let (cases, time) = match number("FUZZ_CASES") {
        Some(cases) => (cases, Duration::MAX),
        None => (
            u64::MAX,
            Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(5)),
        ),
    };
    let began = Instant::now();
    let mut done = 0;
    while done < cases && began.elapsed() < time {
        let input = mutation::mutated(&inputs, &mut random);
        attempt(target, &input, &format!("FUZZ_SEED={seed}, case {done}"));
        done += 1;
    }
    println!(
        "{name}: {} inputs of the corpus, {done} cases in {:.1} s",
        inputs.len(),
        began.elapsed().as_secs_f64()
    );
}

/// Runs one input; what breaks is kept as a file, to become part of the corpus.
fn attempt(target: &Target, input: &[u8], origin: &str) {
    let began = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let took = began.elapsed();
    if outcome.is_err() || took > SLOWEST {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("broken-{}", target.name));
        fs::write(&kept, input).unwrap();
        panic!(
            "{} on {origin} after {took:?}; kept in {}:\n{}",
            target.name,
            kept.display(),
            String::from_utf8_lossy(input)
        );
    }
}

fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|path| {
            let bytes = fs::read(&path).unwrap();
            (path, bytes)
        })
        .collect()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
