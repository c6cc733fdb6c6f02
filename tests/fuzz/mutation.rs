//! Random changes of good input, without knowledge of the code: bytes, numbers, members, and parts of other inputs.

use rand::{Rng, RngExt, seq::IndexedRandom};

/// The longest input that is made, in bytes.
const LONGEST: usize = 16 * 1024;

/// What parsers trip over.
const WORDS: &[&str] = &[
    "",
    "null",
    "true",
    "[]",
    "{}",
    "\"\"",
    "0",
    "-1",
    "1e999",
    "4294967296",
    "18446744073709551616",
    "0.1",
    "\u{0}",
    "\u{feff}",
    "é",
    "✋",
    "\"",
    "\\",
    "\\ud800",
    "/",
    "%",
    "%zz",
    "?",
    "#",
    "@",
    ":",
    "::1",
    "[",
    "]",
    "{",
    "}",
    ",",
    "=",
    "\r\n",
    "\n",
    "m=video 9 X 96\r\n",
    "a=mid:0\r\n",
    "a=candidate:",
    "[[a]]\n",
    "2[",
    "+600\n",
];

/// Another input, made from those of a corpus.
pub fn mutated(corpus: &[Vec<u8>], random: &mut impl Rng) -> Vec<u8> {
    let mut input = corpus.choose(random).cloned().unwrap_or_default();
    for _ in 0..random.random_range(1..=6) {
        change(&mut input, corpus, random);
    }
    input.truncate(LONGEST);
    input
}

fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut impl Rng) {
    let at = random.random_range(0..=input.len());
    let end = (at + random.random_range(0..=12)).min(input.len());
    match random.random_range(0..9) {
        0 if at < input.len() => input[at] ^= 1 << random.random_range(0..8),
        1 if at < input.len() => input[at] = random.random(),
        2 => drop(input.drain(at..end)),
        3 => {
            let part = input[at..end].to_vec();
            input.splice(at..at, part);
        }
        4 | 5 => {
            let word = WORDS.choose(random).copied().unwrap_or_default();
            input.splice(at..end.min(at + random.random_range(0..3)), word.bytes());
        }
        6 => number(input, at, random),
        7 => line(input, random),
        _ => {
            // The head of this one and the tail of another.
            let other = corpus.choose(random).map_or(&[][..], Vec::as_slice);
            let from = random.random_range(0..=other.len());
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
    }
}

/// Another number in the place of the next one.
fn number(input: &mut Vec<u8>, at: usize, random: &mut impl Rng) {
    let Some(start) = input[at..]
        .iter()
        .position(u8::is_ascii_digit)
        .map(|found| at + found)
    else {
        return;
    };
    let digits = input[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let new = match random.random_range(0..4) {
        0 => random.random_range(0..4_u64).to_string(),
        1 => random.random::<u64>().to_string(),
        2 => format!("-{}", random.random::<u32>()),
        _ => format!(
            "{}e{}",
            random.random_range(0..10),
            random.random_range(0..330)
        ),
    };
    input.splice(start..start + digits, new.into_bytes());
}

/// A line in another place, or twice.
fn line(input: &mut Vec<u8>, random: &mut impl Rng) {
    let mut lines: Vec<Vec<u8>> = input
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    let from = random.random_range(0..lines.len());
    let to = random.random_range(0..lines.len());
    if random.random() {
        lines.swap(from, to);
    } else {
        let line = lines[from].clone();
        lines.insert(to, line);
    }
    *input = lines.join(&b'\n');
}
