//! Statistics, and the line count of one input. Uses no handles.
//!
//! Memory is bounded for every input. A line is never kept, only its first word, and of that the
//! first [`WORD`] bytes; of different words [`WORDS`] are counted, the first to come.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;

/// Bytes of a word that tell it from others.
const WORD: usize = 64;

/// Different words that are counted. Lines that begin with yet another one count as lines only.
const WORDS: usize = 10_000;

/// Words in a summary.
const TOP: usize = 5;

/// The counts over all inputs.
#[derive(Debug, Default)]
pub struct Stats {
    lines: u64,
    bytes: u64,
    /// TCP clients that have connected.
    pub clients: u64,
    words: HashMap<Box<[u8]>, u64>,
}

impl Stats {
    fn line(&mut self, first_word: &[u8]) {
        self.lines += 1;
        if first_word.is_empty() {
            return;
        }
        if let Some(count) = self.words.get_mut(first_word) {
            *count += 1;
        } else if self.words.len() < WORDS {
            self.words.insert(first_word.into(), 1);
        }
    }

    /// The most frequent words, equally frequent ones in alphabetical order.
    fn top(&self) -> Vec<(&[u8], u64)> {
        let mut words: Vec<_> = self.words.iter().map(|(word, &count)| (&**word, count)).collect();
        words.sort_unstable_by_key(|&(word, count)| (Reverse(count), word));
        words.truncate(TOP);
        words
    }
}

/// A summary: `12 lines, 345 bytes, 2 clients, words: the 5, a 3`, always on one line. The part
/// with the words is missing if there are none.
impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lines, {} bytes, {} clients", self.lines, self.bytes, self.clients)?;
        let mut separator = ", words: ";
        for (word, count) in self.top() {
            write!(f, "{separator}{} {count}", printable(word))?;
            separator = ", ";
        }
        Ok(())
    }
}

/// A word as text. Its origin is untrusted, so it must not control a terminal or end the line.
fn printable(word: &[u8]) -> String {
    let harmless =
        |c: char| if c.is_control() || c.is_whitespace() { char::REPLACEMENT_CHARACTER } else { c };
    String::from_utf8_lossy(word).chars().map(harmless).collect()
}

/// The lines of one input, put together from chunks that end anywhere.
#[derive(Debug, Default)]
pub struct Lines {
    lines: u64,
    bytes: u64,
    /// Something has come since the last newline.
    unfinished: bool,
    first_word: FirstWord,
}

impl Lines {
    /// Counts the next chunk of the input.
    pub fn feed(&mut self, chunk: &[u8], stats: &mut Stats) {
        self.bytes += chunk.len() as u64;
        stats.bytes += chunk.len() as u64;
        for piece in chunk.split_inclusive(|&byte| byte == b'\n') {
            self.unfinished = true;
            match piece.strip_suffix(b"\n") {
                Some(line) => {
                    self.first_word.add(line);
                    self.end(stats);
                }
                None => self.first_word.add(piece),
            }
        }
    }

    /// Ends the line that has begun, if one has: also without a newline it is one.
    pub fn end(&mut self, stats: &mut Stats) {
        if self.unfinished {
            self.unfinished = false;
            self.lines += 1;
            stats.line(&self.first_word.bytes);
            self.first_word.clear();
        }
    }

    /// The lines and bytes of this input.
    pub fn totals(&self) -> (u64, u64) {
        (self.lines, self.bytes)
    }
}

/// The first word of the current line, as far as it has come: what stands between the line's first
/// ASCII whitespace characters. The carriage return of a line that ends in CR LF is one of them.
#[derive(Debug, Default)]
struct FirstWord {
    bytes: Vec<u8>,
    complete: bool,
}

impl FirstWord {
    /// Takes in the next piece of the line.
    fn add(&mut self, piece: &[u8]) {
        if self.complete {
            return;
        }
        let piece = if self.bytes.is_empty() { piece.trim_ascii_start() } else { piece };
        let end = piece.iter().position(u8::is_ascii_whitespace);
        let word = &piece[..end.unwrap_or(piece.len())];
        let room = WORD - self.bytes.len();
        self.bytes.extend_from_slice(&word[..word.len().min(room)]);
        self.complete = end.is_some();
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.complete = false;
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, Stats, WORD, WORDS};

    /// Counts one input that comes in these chunks, to its end.
    fn counted(chunks: &[&[u8]]) -> String {
        let (mut lines, mut stats) = (Lines::default(), Stats::default());
        for chunk in chunks {
            lines.feed(chunk, &mut stats);
        }
        lines.end(&mut stats);
        assert_eq!(lines.totals(), (stats.lines, stats.bytes));
        stats.to_string()
    }

    #[test]
    fn no_input_has_no_lines_and_no_words() {
        assert_eq!(counted(&[]), "0 lines, 0 bytes, 0 clients");
        assert_eq!(counted(&[b"", b""]), "0 lines, 0 bytes, 0 clients");
    }

    #[test]
    fn lines_bytes_and_first_words_are_counted() {
        let text = b"the cat\nthe dog\na bird\n";
        assert_eq!(counted(&[text]), "3 lines, 23 bytes, 0 clients, words: the 2, a 1");
    }

    #[test]
    fn a_line_may_be_split_anywhere() {
        let text = b"  one two\nthree\n\nfour five\r\nsix";
        let whole = counted(&[text]);
        assert_eq!(whole, "5 lines, 31 bytes, 0 clients, words: four 1, one 1, six 1, three 1");
        for at in 0..=text.len() {
            let (before, after) = text.split_at(at);
            assert_eq!(counted(&[before, after]), whole, "split at {at}");
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(counted(&bytes), whole);
    }

    #[test]
    fn what_follows_the_last_newline_is_a_line_when_the_input_ends() {
        let (mut lines, mut stats) = (Lines::default(), Stats::default());
        lines.feed(b"one\ntwo", &mut stats);
        assert_eq!(stats.to_string(), "1 lines, 7 bytes, 0 clients, words: one 1");
        lines.end(&mut stats);
        assert_eq!(stats.to_string(), "2 lines, 7 bytes, 0 clients, words: one 1, two 1");
        lines.end(&mut stats);
        assert_eq!(lines.totals(), (2, 7));
    }

    #[test]
    fn nothing_follows_a_newline_at_the_end() {
        assert_eq!(counted(&[b"one\n"]), "1 lines, 4 bytes, 0 clients, words: one 1");
    }

    #[test]
    fn empty_and_blank_lines_have_no_word() {
        assert_eq!(counted(&[b"\n\r\n \t\n"]), "3 lines, 6 bytes, 0 clients");
        assert_eq!(counted(&[b" "]), "1 lines, 1 bytes, 0 clients");
    }

    #[test]
    fn a_carriage_return_is_no_part_of_a_word() {
        assert_eq!(counted(&[b"a\r\na\n"]), "2 lines, 5 bytes, 0 clients, words: a 2");
        assert_eq!(counted(&[b"a\r", b"\n"]), "1 lines, 3 bytes, 0 clients, words: a 1");
    }

    #[test]
    fn a_long_word_counts_by_its_first_bytes() {
        let long = "x".repeat(WORD);
        let (a, b) = (format!("{long}a\n"), format!("{long}b\n"));
        let expected = format!("2 lines, 132 bytes, 0 clients, words: {long} 2");
        assert_eq!(counted(&[a.as_bytes(), b.as_bytes()]), expected);
    }

    #[test]
    fn of_a_long_line_only_the_first_word_is_kept() {
        let (mut lines, mut stats) = (Lines::default(), Stats::default());
        for _ in 0..1000 {
            lines.feed(&[b'y'; 1000], &mut stats);
        }
        assert_eq!(lines.first_word.bytes.len(), WORD);
        assert!(lines.first_word.bytes.capacity() < 1000);
        lines.feed(b" other\n", &mut stats);
        assert_eq!(lines.totals(), (1, 1_000_007));
    }

    #[test]
    fn the_number_of_different_words_is_bounded() {
        let (mut lines, mut stats) = (Lines::default(), Stats::default());
        for n in 0..=WORDS {
            lines.feed(format!("{n}\n").as_bytes(), &mut stats);
        }
        lines.feed(format!("0\n{WORDS}\n").as_bytes(), &mut stats);
        assert_eq!(stats.lines, WORDS as u64 + 3);
        assert_eq!(stats.words.len(), WORDS);
        assert_eq!(stats.top()[0], (&b"0"[..], 2));
    }

    #[test]
    fn the_most_frequent_words_come_first_then_alphabetically() {
        let text = b"f\ne\nd\nd\nc\nb\na\n";
        assert_eq!(counted(&[text]), "7 lines, 14 bytes, 0 clients, words: d 2, a 1, b 1, c 1, e 1");
    }

    #[test]
    fn two_inputs_do_not_mix_their_lines() {
        let (mut one, mut other, mut stats) = (Lines::default(), Lines::default(), Stats::default());
        one.feed(b"he", &mut stats);
        other.feed(b"wor", &mut stats);
        one.feed(b"llo\n", &mut stats);
        other.feed(b"ld\n", &mut stats);
        assert_eq!(stats.to_string(), "2 lines, 12 bytes, 0 clients, words: hello 1, world 1");
    }

    #[test]
    fn a_word_can_not_break_the_summary() {
        let text = "\u{1b}[2J\u{2028}x\u{0}\n".as_bytes();
        assert_eq!(counted(&[text]), "1 lines, 10 bytes, 0 clients, words: \u{fffd}[2J\u{fffd}x\u{fffd} 1");
        assert_eq!(counted(&[b"\xff\n"]), "1 lines, 2 bytes, 0 clients, words: \u{fffd} 1");
    }
}
