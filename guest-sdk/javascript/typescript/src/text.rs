//! A text of which parts are erased.

use std::ops::Range;

/// A text whose characters keep their places.
pub struct Text<'a> {
    source: &'a str,
    /// The parts that are erased, in any order; they may be nested.
    erased: Vec<Range<usize>>,
    /// Characters of one byte that are written after that.
    written: Vec<(usize, u8)>,
}

impl<'a> Text<'a> {
    pub fn new(source: &'a str) -> Text<'a> {
        Text { source, erased: Vec::new(), written: Vec::new() }
    }

    pub fn erase(&mut self, range: Range<usize>) {
        self.erased.push(range);
    }

    /// Writes a character over one byte of a part that is erased.
    pub fn write(&mut self, at: usize, character: u8) {
        self.written.push((at, character));
    }

    /// The text with spaces for what was erased. Line ends stay, and a character has as many spaces
    /// as code units in UTF-16.
    pub fn finish(mut self) -> String {
        let mut text = String::with_capacity(self.source.len());
        self.erased.sort_by_key(|range| range.start);
        self.written.sort_unstable();
        self.written.dedup_by_key(|(at, _)| *at);
        let mut written = self.written.into_iter().peekable();
        let mut kept = 0;
        for range in self.erased {
            let start = range.start.max(kept);
            if range.end <= start {
                continue;
            }
            text.push_str(&self.source[kept..start]);
            for (at, character) in self.source[start..range.end].char_indices() {
                while written.next_if(|(place, _)| *place < start + at).is_some() {}
                let over = written.next_if(|(place, _)| *place == start + at);
                match (character, over) {
                    (_, Some((_, over))) => text.push(over.into()),
                    ('\n' | '\r' | '\u{2028}' | '\u{2029}', None) => text.push(character),
                    (_, None) => text.extend(std::iter::repeat_n(' ', character.len_utf16())),
                }
            }
            kept = range.end;
        }
        text.push_str(&self.source[kept..]);
        text
    }
}

/// A place in a text, both numbers from 1.
pub struct Place {
    pub line: usize,
    pub column: usize,
}

impl Place {
    pub fn of(source: &str, at: usize) -> Place {
        let before = source.get(..at).unwrap_or(source);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Place { line: before.matches('\n').count() + 1, column: line.encode_utf16().count() + 1 }
    }
}
