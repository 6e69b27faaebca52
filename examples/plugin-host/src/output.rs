//! Writes a plugin's output to the server's log, under the plugin's name. The last lines are kept,
//! because they contain the reason for its end.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// A longer line is logged in pieces.
const LONGEST_LINE: usize = 4096;
/// The number of lines of standard error that are kept.
const LAST_WORDS: usize = 16;

/// The output of one life of a plugin.
#[derive(Debug)]
pub struct Output {
    plugin: Arc<str>,
    text: Mutex<Text>,
}

#[derive(Debug, Default)]
struct Text {
    /// Of standard output and standard error: the lines that are not complete yet.
    rests: [Vec<u8>; 2],
    last: VecDeque<String>,
}

impl Output {
    pub fn new(plugin: &Arc<str>) -> Arc<Output> {
        Arc::new(Output { plugin: plugin.clone(), text: Mutex::default() })
    }

    /// Returns the message and place of the plugin's panic in one line, or `None` if it did not
    /// panic.
    pub fn panic(&self) -> Option<String> {
        panic_message(self.text().last.make_contiguous())
    }

    fn write(&self, error: bool, bytes: &[u8]) {
        let mut text = self.text();
        for mut piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            while !piece.is_empty() {
                let rest = &mut text.rests[usize::from(error)];
                let (fits, more) = piece.split_at(piece.len().min(LONGEST_LINE - rest.len()));
                rest.extend_from_slice(fits);
                piece = more;
                if rest.ends_with(b"\n") || rest.len() == LONGEST_LINE {
                    let line = printable(&std::mem::take(rest));
                    self.log(error, &line);
                    if error {
                        text.last.push_back(line);
                        let gone = text.last.len().saturating_sub(LAST_WORDS);
                        text.last.drain(..gone);
                    }
                }
            }
        }
    }

    fn log(&self, error: bool, line: &str) {
        let plugin = &self.plugin;
        match (line, error) {
            ("", _) => {}
            (line, true) => tracing::warn!("{plugin} says: {line}"),
            (line, false) => tracing::info!("{plugin} says: {line}"),
        }
    }

    fn text(&self) -> MutexGuard<'_, Text> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A line as text without control characters.
fn printable(line: &[u8]) -> String {
    let line = String::from_utf8_lossy(line);
    let escaped = |c: char| match c {
        '\t' => vec![' '],
        c if c.is_control() => c.escape_unicode().collect(),
        c => vec![c],
    };
    line.trim_end().chars().flat_map(escaped).collect()
}

/// Rust says `thread '...' panicked at FILE:LINE:COLUMN:`, and below it the message.
fn panic_message(lines: &[String]) -> Option<String> {
    let at = lines.iter().rposition(|line| line.contains(" panicked at "))?;
    let (_, place) = lines[at].split_once(" panicked at ")?;
    let message = lines[at + 1..].iter().take_while(|line| !line.starts_with("note: "));
    let message: Vec<&str> = message.map(String::as_str).collect();
    Some(format!("{} ({})", message.join(" "), place.trim_end_matches(':')))
}

/// One of the two streams.
pub struct Stream {
    output: Arc<Output>,
    error: bool,
}

impl Stream {
    pub fn out(output: Arc<Output>) -> Stream {
        Stream { output, error: false }
    }

    pub fn err(output: Arc<Output>) -> Stream {
        Stream { output, error: true }
    }
}

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(Stream { output: self.output.clone(), error: self.error })
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.output.write(self.error, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_found_in_the_last_words() {
        let output = Output::new(&"a".into());
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
        let output = Output::new(&"a".into());
        for _ in 0..100 {
            output.write(true, &[b'a'; 10_000]);
        }
        let text = output.text();
        assert_eq!(text.last.len(), LAST_WORDS);
        assert!(text.last.iter().all(|line| line.len() <= LONGEST_LINE));
        assert!(text.rests[1].len() < LONGEST_LINE);
    }
}
