//! Writes a plugin's output to its log. The last lines are kept, because they contain the reason for
//! its end.

use super::log::PluginLog;
use super::text;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A longer line is logged in pieces.
const LONGEST_LINE: usize = 4096;
/// The number of lines of standard error that are kept.
const LAST_WORDS: usize = 16;

/// The output of one life of a plugin: its lines go to the plugin's log.
#[derive(Debug)]
pub struct PluginOutput {
    log: Arc<PluginLog>,
    /// Allocated with the first line.
    text: Mutex<Option<Box<Text>>>,
}

#[derive(Debug, Default)]
struct Text {
    /// Of standard output and standard error: the lines that are not complete yet.
    rests: [Vec<u8>; 2],
    last: VecDeque<String>,
}

impl PluginOutput {
    pub(crate) fn new(log: &Arc<PluginLog>) -> Arc<PluginOutput> {
        Arc::new(PluginOutput { log: log.clone(), text: Mutex::default() })
    }

    /// Returns the message and place of the plugin's panic in one line, or `None` if it did not
    /// panic.
    pub(crate) fn panic(&self) -> Option<String> {
        self.text().as_mut().and_then(|text| panic_message(text.last.make_contiguous()))
    }

    /// Writes to standard output, or to standard error.
    pub fn write(&self, is_error: bool, bytes: &[u8]) {
        let mut kept = self.text();
        let kept = kept.get_or_insert_default();
        for mut piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            while !piece.is_empty() {
                let rest = &mut kept.rests[usize::from(is_error)];
                let (fits, more) = piece.split_at(piece.len().min(LONGEST_LINE - rest.len()));
                rest.extend_from_slice(fits);
                piece = more;
                if rest.ends_with(b"\n") || rest.len() == LONGEST_LINE {
                    let line = text::line(&String::from_utf8_lossy(rest), LONGEST_LINE);
                    rest.clear();
                    if !line.is_empty() {
                        self.log.says(is_error, &line);
                    }
                    if is_error {
                        kept.last.push_back(line);
                        let gone = kept.last.len().saturating_sub(LAST_WORDS);
                        kept.last.drain(..gone);
                    }
                }
            }
        }
    }

    fn text(&self) -> MutexGuard<'_, Option<Box<Text>>> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rust says `thread '...' panicked at FILE:LINE:COLUMN:`, and below it the message.
fn panic_message(lines: &[String]) -> Option<String> {
    let at = lines.iter().rposition(|line| line.contains(" panicked at "))?;
    let (_, place) = lines[at].split_once(" panicked at ")?;
    let message = lines[at + 1..].iter().take_while(|line| !line.starts_with("note: "));
    let message: Vec<&str> = message.map(String::as_str).collect();
    Some(format!("{} ({})", message.join(" "), place.trim_end_matches(':')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_found_in_the_last_words() {
        let output = PluginOutput::new(&PluginLog::new(&"a".into(), None));
        output.write(true, b"something before\nthread '<unnamed>' panicked at src/lib.rs:5:9:\nit is\n");
        assert_eq!(output.panic().as_deref(), Some("it is (src/lib.rs:5:9)"));
        output.write(true, b"bro\x1bken\nnote: run with `RUST_BACKTRACE=1`\nmore\n");
        assert_eq!(output.panic().as_deref(), Some("it is bro\\u{1b}ken (src/lib.rs:5:9)"));
        output.write(false, b"thread 'x' panicked at y:\n");
        assert_eq!(output.panic().as_deref(), Some("it is bro\\u{1b}ken (src/lib.rs:5:9)"));
        for _ in 0..LAST_WORDS {
            output.write(true, b"\n");
        }
        assert_eq!(output.panic(), None);
    }

    #[test]
    fn nothing_that_a_plugin_prints_is_kept_beyond_a_bound() {
        let output = PluginOutput::new(&PluginLog::new(&"a".into(), None));
        for _ in 0..100 {
            output.write(true, &[b'a'; 10_000]);
            output.write(true, &[0x1b; 10_000]);
            output.write(true, &[0xff; 10_000]);
        }
        let text = output.text();
        let text = text.as_ref().unwrap();
        assert_eq!(text.last.len(), LAST_WORDS);
        assert!(text.last.iter().all(|line| line.len() <= LONGEST_LINE + "...".len()));
        assert!(text.rests[1].len() < LONGEST_LINE);
    }
}
