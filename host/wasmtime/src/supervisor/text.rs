//! Text that a plugin or its component chose, as it is shown.
//!
//! It is in one line, without control characters, and bounded in length.

use std::fmt::{self, Display, Write};

/// The most bytes of a sentence about a plugin. It is kept, logged, and copied for each page.
pub(crate) const SENTENCE: usize = 1024;

/// The longest name of a plugin, in bytes, as that of a file.
const NAME: usize = 255;

/// Returns an error for a name that would be no part of a line of the log, or too long for each.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let problem = match name.len() {
        0 => "is empty".into(),
        1..=NAME if !name.chars().any(is_unseen) => return Ok(()),
        1..=NAME => "has control characters".into(),
        length => format!("has {length} bytes, more than {NAME}"),
    };
    let begin: String = name.chars().take(16).collect();
    Err(format!("the plugin's name \"{}\" {problem}", begin.escape_debug()))
}

/// Formats a text as part of a sentence: runs of white space become one space.
///
/// Formatting stops at the bound, so a longer text costs no more than one of that length.
pub fn one_line(text: impl Display) -> String {
    let mut shown = Shown { text: String::new(), most: SENTENCE, left: 4 * SENTENCE, space: false };
    // It fails when the text is longer, and then it is cut already.
    let _ = write!(shown, "{text}");
    shown.text
}

/// Formats a line of output, of at most so many bytes. Spaces stay as they are.
pub(crate) fn line(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for c in text.trim_end().chars() {
        if push(&mut shown, if c == '\t' { ' ' } else { c }, most).is_err() {
            break;
        }
    }
    shown
}

struct Shown {
    text: String,
    most: usize,
    /// The number of characters that are still looked at.
    left: usize,
    /// White space is due before the next character.
    space: bool,
}

impl Write for Shown {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.left = match self.left.checked_sub(1) {
                Some(left) => left,
                None => return cut(&mut self.text),
            };
            if c.is_whitespace() {
                self.space = !self.text.is_empty();
                continue;
            }
            if std::mem::take(&mut self.space) {
                push(&mut self.text, ' ', self.most)?;
            }
            push(&mut self.text, c, self.most)?;
        }
        Ok(())
    }
}

/// Appends a character as it is shown, unless the text would become too long.
fn push(text: &mut String, c: char, most: usize) -> fmt::Result {
    let before = text.len();
    match is_unseen(c) {
        true => text.extend(c.escape_unicode()),
        false => text.push(c),
    }
    if text.len() > most {
        text.truncate(before);
        return cut(text);
    }
    Ok(())
}

fn cut(text: &mut String) -> fmt::Result {
    text.push_str("...");
    Err(fmt::Error)
}

/// Control characters, and those that change the direction of the text around them.
fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_a_part_of_a_sentence() {
        assert_eq!(one_line(" a \n\t b\u{1b}\u{202e}'\"\n"), "a b\\u{1b}\\u{202e}'\"");
        assert_eq!(line("  a\tb \u{1b}[2J \n", 100), "  a b \\u{1b}[2J");
    }

    #[test]
    fn a_name_is_short_and_visible() {
        for good in ["a", "Plugin-1", "größe", &"a".repeat(NAME)] {
            assert_eq!(check_name(good), Ok(()));
        }
        for (bad, expected) in [
            ("", "the plugin's name \"\" is empty"),
            ("a\n\u{1b}", "the plugin's name \"a\\n\\u{1b}\" has control characters"),
            (&"a".repeat(1 << 20), "the plugin's name \"aaaaaaaaaaaaaaaa\" has 1048576 bytes, more than 255"),
        ] {
            assert_eq!(check_name(bad), Err(expected.into()));
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        for long in ["word ".repeat(1 << 20), "\u{1b}".repeat(1 << 20), " ".repeat(1 << 24)] {
            assert!(one_line(&long).len() <= SENTENCE + "...".len());
            assert!(line(&long, 100).len() <= 100 + "...".len());
        }
        assert!(one_line("a".repeat(SENTENCE + 1)).ends_with("a..."));
        assert_eq!(one_line("a".repeat(SENTENCE)), "a".repeat(SENTENCE));
    }

    /// Formatting more than a terabyte ends at once.
    #[test]
    fn formatting_ends_at_the_bound() {
        struct Endless;
        impl Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (0..1_u64 << 40).try_for_each(|_| f.write_str("word "))
            }
        }
        assert!(one_line(Endless).ends_with("..."));
    }
}
