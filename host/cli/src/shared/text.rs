//! Untrusted text, as it is shown.

/// The number of characters of a quoted text that are shown.
const QUOTED: usize = 64;

/// Quotes, escapes and shortens an untrusted text, so that it can be printed.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("\"{}...\"", text[..end].escape_debug()),
        None => format!("\"{}\"", text.escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guest_chose_is_escaped_and_cut() {
        assert_eq!(quoted("a b"), "\"a b\"");
        assert_eq!(quoted("\x1b[2J\n\u{202e}\""), "\"\\u{1b}[2J\\n\\u{202e}\\\"\"");
        let long = quoted(&"ä".repeat(1_000_000));
        assert_eq!(long, format!("\"{}...\"", "ä".repeat(QUOTED)));
    }
}
