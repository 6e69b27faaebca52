//! Text of several lines that contains names of a component, as it is shown: without control
//! characters, and bounded in length and number of lines.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

/// The characters of a line that are shown.
const LINE: usize = 200;

/// The lines that are shown. A backtrace has at most 20 calls, with two lines for each function that
/// was inlined there.
const LINES: usize = 100;

/// Formats a text, and returns its first lines, each cut.
///
/// Formatting stops at the bound, so a longer text costs no more than one of that length.
pub fn lines(text: impl Display) -> Vec<String> {
    let mut shown = Shown { lines: vec![String::new()], length: 0 };
    // It fails when there are more lines.
    let _ = write!(shown, "{text}");
    if shown.lines.last().is_some_and(String::is_empty) {
        shown.lines.pop();
    }
    shown.lines
}

/// The beginning of a name that has no control characters.
pub fn cut(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(LINE) {
        Some((end, _)) => Cow::Owned(format!("{}...", &name[..end])),
        None => Cow::Borrowed(name),
    }
}

struct Shown {
    lines: Vec<String>,
    /// The characters of the last line.
    length: usize,
}

impl Write for Shown {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if c == '\n' {
                if self.lines.len() == LINES {
                    return Err(fmt::Error);
                }
                self.lines.push(String::new());
                self.length = 0;
                continue;
            }
            self.length += 1;
            let line = self.lines.last_mut().ok_or(fmt::Error)?;
            match self.length {
                ..=LINE if c.is_control() => line.extend(c.escape_unicode()),
                ..=LINE => line.push(c),
                // The rest of this line is skipped.
                length if length == LINE + 1 => line.push_str("..."),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_line_by_line() {
        assert_eq!(lines("a b\n\tc\x1b[2J\n"), ["a b", "\\u{9}c\\u{1b}[2J"]);
        assert!(lines("").is_empty());
    }

    #[test]
    fn long_and_many_lines_are_cut() {
        let long = lines(format_args!("{}\nnext", "\x01".repeat(1 << 20)));
        assert_eq!(long, [format!("{}...", "\\u{1}".repeat(LINE)), "next".into()]);
        assert_eq!(lines("line\n".repeat(1 << 20)).len(), LINES);
        assert_eq!(cut(&"ä".repeat(1 << 20)), format!("{}...", "ä".repeat(LINE)));
        assert_eq!(cut("uv:handles/timer@0.2.0"), "uv:handles/timer@0.2.0");
    }
}
