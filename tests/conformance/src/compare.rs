//! Compares traces.

use std::fmt;

/// The point where two traces differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The name of the other side.
    pub side: &'static str,
    /// The first line that differs, from 0 on.
    pub line: usize,
    native: Vec<String>,
    other: Vec<String>,
}

/// Compares a side's trace with libuv's. An answer that libuv does not give ("?") is not compared.
pub fn differ(side: &'static str, native: &[String], other: &[String]) -> Option<Difference> {
    let pairs = native.iter().zip(other);
    let line = match pairs.enumerate().find(|(_, (native, other))| !same(native, other)) {
        Some((line, _)) => line,
        None if native.len() == other.len() => return None,
        None => native.len().min(other.len()),
    };
    Some(Difference { side, line, native: native.to_vec(), other: other.to_vec() })
}

fn same(native: &str, other: &str) -> bool {
    match native.strip_suffix("?") {
        Some(question) => other.starts_with(question),
        None => native == other,
    }
}

impl fmt::Display for Difference {
    /// Both traces side by side, from the beginning to a little behind the difference.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {:<60} {}", "libuv", self.side)?;
        let end = (self.line + 4).min(self.native.len().max(self.other.len()));
        for line in 0..end {
            let of = |trace: &[String]| trace.get(line).cloned().unwrap_or_default();
            let mark = if line == self.line { "! " } else { "  " };
            writeln!(f, "{mark}{:<60} {}", of(&self.native), of(&self.other))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_compared_line_by_line() {
        let trace = |lines: &str| lines.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(differ("other", &trace("a b"), &trace("a b")), None);
        assert_eq!(differ("other", &trace("a b->?"), &trace("a b->7")), None);
        let line = |native, other| differ("other", &trace(native), &trace(other)).map(|d| d.line);
        assert_eq!(line("a b c", "a x c"), Some(1));
        assert_eq!(line("a b", "a b c"), Some(2));
        assert_eq!(line("a b->3", "a b->?"), Some(1));
    }
}
