//! Texts of messages.
//!
//! Each instance of a guest has its own copy of the pages that its texts and the table of its functions
//! share with its data. So messages are put together without formatting where that is as short.

use std::fmt;

/// The longest label or name in a message, in bytes.
const LONGEST: usize = 64;

/// The end of a label or name that was cut.
const CUT: &str = "…";

/// Returns a text for a message: without control characters, so that the message stays one line. `…`
/// stands for the part that is too long.
// Neither slices the text nor shows it with `Debug`. Both would put tables of Unicode's characters
// into each guest, and each instance has a copy of the page that they share with its data.
pub(crate) fn one_line(text: &str) -> String {
    let is_cut = text.len() > LONGEST;
    let end = if is_cut { LONGEST - CUT.len() } else { text.len() };
    let kept = text.get(..text.floor_char_boundary(end)).unwrap_or_default();
    let mut line: String = kept.chars().filter(|char| !char.is_control()).collect();
    if is_cut {
        line.push_str(CUT);
    }
    line
}

/// Writes texts one after the other.
pub(crate) fn write_all<const N: usize>(f: &mut fmt::Formatter<'_>, texts: [&str; N]) -> fmt::Result {
    texts.into_iter().try_for_each(|text| f.write_str(text))
}
