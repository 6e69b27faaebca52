//! The seeds of tests with random choices.

use std::ops::Range;

/// The seeds of a test: these, or those of the environment variable `UV_HANDLES_SEEDS`, a range as
/// `1000..2000`.
///
/// # Panics
///
/// If the variable is no range.
pub fn seeds(usual: Range<u64>) -> Range<u64> {
    let Ok(given) = std::env::var("UV_HANDLES_SEEDS") else { return usual };
    let (first, end) = given.split_once("..").expect("UV_HANDLES_SEEDS is a range: 1000..2000");
    first.parse().expect("a number")..end.parse().expect("a number")
}
