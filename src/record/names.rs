//! Names of files and folders. What people call themselves comes from outside: only letters and
//! digits of it stay, so that nothing leads to another folder or means something to a shell.

use jiff::Timestamp;

/// Longest part of a file's name that comes from outside, in bytes.
const LONGEST: usize = 80;

/// What of a name may stand in a file's name; `otherwise` when nothing does.
pub(super) fn safe(name: &str, otherwise: &str) -> String {
    let mut safe = String::new();
    for letter in name.chars() {
        let kept = if letter.is_alphanumeric() {
            letter
        } else {
            '-'
        };
        if safe.len() + kept.len_utf8() > LONGEST {
            break;
        }
        if kept != '-' || !(safe.is_empty() || safe.ends_with('-')) {
            safe.push(kept);
        }
    }
    match safe.trim_end_matches('-') {
        "" => otherwise.to_owned(),
        safe => safe.to_owned(),
    }
}

/// The folder of a recording.
pub(super) fn folder(room: &str, started: Timestamp) -> String {
    let time = started.strftime("%Y-%m-%dT%H%M%SZ");
    format!("{time}-{}", safe(room, "room"))
}

/// A file of a recording; `number` counts them.
pub(super) fn file(number: u32, display_name: &str, is_screenshare: bool) -> String {
    let kind = if is_screenshare { "-screenshare" } else { "" };
    format!("{number:02}-{}{kind}.mkv", safe(display_name, "guest"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_stay_readable_and_cannot_lead_elsewhere() {
        for (name, expected) in [
            ("Anna Müller", "Anna-Müller"),
            ("../../etc/passwd", "etc-passwd"),
            ("", "guest"),
            ("...", "guest"),
            ("a\0b\nc", "a-b-c"),
            ("$(rm -rf ~)", "rm-rf"),
            ("\u{202e}gpj.exe", "gpj-exe"),
            ("✋", "guest"),
            ("-rf", "rf"),
        ] {
            assert_eq!(safe(name, "guest"), expected);
        }
        assert_eq!(file(3, "Anna", false), "03-Anna.mkv");
        assert_eq!(file(12, "/", true), "12-guest-screenshare.mkv");
    }

    #[test]
    fn folders_sort_by_the_time_of_their_recording() {
        let started = "2026-11-24T10:20:30.5Z".parse().unwrap();
        assert_eq!(folder("stand up", started), "2026-11-24T102030Z-stand-up");
    }

    proptest! {
        #[test]
        fn no_name_has_a_separator_a_dot_or_too_many_bytes(name in any::<String>()) {
            let safe = safe(&name, "guest");
            prop_assert!(!safe.is_empty() && safe.len() <= LONGEST);
            prop_assert!(safe.chars().all(|c| c.is_alphanumeric() || c == '-'));
            prop_assert!(!safe.starts_with('-'));
        }
    }
}
