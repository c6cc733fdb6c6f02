//! What is written on the display: names and messages that any font can show, in lines that fit.
//!
//! Names come from strangers. Nothing of them may reach Pango as markup, turn the direction of the line or
//! show as an empty box.

use gstreamer::glib;

/// A name with its marks, in words that need no special font: `Anna · muted · hand raised`.
#[must_use]
pub fn tile_label(name: &str, muted: bool, hand_raised: bool) -> String {
    let mut label = plain(name);
    if label.is_empty() {
        label.push_str("Guest");
    }
    for (is_set, mark) in [(muted, "muted"), (hand_raised, "hand raised")] {
        if is_set {
            label.push_str(" · ");
            label.push_str(mark);
        }
    }
    label
}

/// One line without control characters, without marks of direction and without pictographs; the two marks
/// that matter in a room are spelled out.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{270B}' | '\u{1F590}' => words.push_str(" · hand raised "),
            '\u{1F507}' => words.push_str(" · muted "),
            character if character.is_control() || character.is_whitespace() => words.push(' '),
            character if is_unshowable(character) => {}
            character => words.push(character),
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` as Pango markup: what it says is shown, not obeyed.
#[must_use]
pub fn markup(text: &str) -> String {
    glib::markup_escape_text(text).to_string()
}

/// At most `columns` characters, the cut marked by an ellipsis.
#[must_use]
pub fn shorten(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let kept: String = text.chars().take(columns.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Lines of at most `columns` characters (at least 1); line breaks of the text are kept, words too long for a
/// line are cut.
#[must_use]
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in plain(paragraph).split(' ') {
            let word: Vec<char> = word.chars().collect();
            for piece in word.chunks(columns) {
                let used = line.chars().count();
                if used > 0 && used + 1 + piece.len() > columns {
                    lines.push(std::mem::take(&mut line));
                }
                if !line.is_empty() {
                    line.push(' ');
                }
                line.extend(piece);
            }
        }
        lines.push(line);
    }
    lines
}

/// Lines of a message and the size of its letters in pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Lines that fit on the screen.
    pub lines: Vec<String>,
    /// Height of the font in pixels.
    pub font: u32,
}

/// A message as large as the screen allows: from a twelfth of its height downwards.
#[must_use]
pub fn message(text: &str, (width, height): (u32, u32)) -> Message {
    let room = height * 7 / 10;
    let smallest = (height / 40).max(8);
    let mut font = (height / 12).max(smallest);
    loop {
        let columns = width * 85 / 100 * 100 / (font * LETTER_WIDTH);
        let lines = wrap(text, columns as usize);
        let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        if count.saturating_mul(font * 14 / 10) <= room || font <= smallest {
            return Message { lines, font };
        }
        font = (font * 9 / 10).max(smallest);
    }
}

/// How many letters of `font` pixels stand in `width` pixels.
#[must_use]
pub fn columns(width: u32, font: u32) -> usize {
    (width * 100 / (font.max(1) * LETTER_WIDTH)) as usize
}

/// Width of an average letter of a sans-serif in percent of the font's height, measured generously.
const LETTER_WIDTH: u32 = 62;

/// Pictographs, joiners, selectors and marks of direction.
fn is_unshowable(character: char) -> bool {
    matches!(character,
        '\u{061C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{20E3}'
        | '\u{2600}'..='\u{27BF}' | '\u{2B1B}'..='\u{2B1C}' | '\u{2B50}' | '\u{2B55}'
        | '\u{E000}'..='\u{F8FF}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFD}'
        | '\u{1F000}'..='\u{1FAFF}' | '\u{E0000}'..='\u{10FFFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_label_says_muted_and_raised_in_words() {
        assert_eq!(
            tile_label("Anna 🎉", true, true),
            "Anna · muted · hand raised"
        );
        assert_eq!(tile_label("👩‍💻", false, false), "Guest");
        assert_eq!(plain("Bo ✋"), "Bo · hand raised");
    }

    #[test]
    fn markup_in_a_name_is_shown_as_text() {
        assert_eq!(markup("<b>R&D</b>"), "&lt;b&gt;R&amp;D&lt;/b&gt;");
    }

    #[test]
    fn a_name_cannot_turn_the_line() {
        assert_eq!(plain("a\u{202E}b\u{0}\nc"), "ab c");
    }

    #[test]
    fn a_long_word_is_cut_and_an_empty_line_kept() {
        assert_eq!(wrap("abcdefg\n\nhi jk", 5), ["abcde", "fg", "", "hi jk"]);
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_asked(text in ".{0,200}", columns in 1usize..60) {
            for line in wrap(&text, columns) {
                prop_assert!(line.chars().count() <= columns, "{:?}", line);
            }
        }

        #[test]
        fn wrapping_loses_no_letter(text in "[a-z \n]{0,200}", columns in 1usize..60) {
            let letters = |text: &str| text.chars().filter(char::is_ascii_lowercase).collect::<String>();
            prop_assert_eq!(letters(&wrap(&text, columns).concat()), letters(&text));
        }

        #[test]
        fn a_message_of_reasonable_length_fits_the_screen(
            text in "[a-z ]{1,240}", width in 640u32..4000, height in 360u32..2200,
        ) {
            let message = message(&text, (width, height));
            let columns = columns(width, message.font);
            prop_assert!(message.lines.iter().all(|line| line.chars().count() <= columns));
            prop_assert!(message.font >= (height / 40).max(8) && message.font <= height / 12);
        }

        #[test]
        fn shortening_keeps_to_the_columns(text in ".{0,80}", columns in 1usize..40) {
            prop_assert!(shorten(&text, columns).chars().count() <= columns);
        }
    }
}
