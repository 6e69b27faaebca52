//! Writes a plugin's output to the server's log, under the plugin's name. The last lines are kept,
//! because they contain the reason for its end.

use crate::log::{Level, Log};
use crate::text;
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// The most that a plugin writes in one call. WASI's streams use the same number.
const PERMIT: usize = 64 * 1024;
/// A longer line is logged in pieces.
const LONGEST_LINE: usize = 4096;
/// The number of lines of standard error that are kept.
const LAST_WORDS: usize = 16;

/// The output of one life of a plugin.
#[derive(Debug)]
pub struct Output {
    log: Arc<Log>,
    text: Mutex<Text>,
}

#[derive(Debug, Default)]
struct Text {
    /// Of standard output and standard error: the lines that are not complete yet.
    rests: [Vec<u8>; 2],
    last: VecDeque<String>,
}

impl Output {
    pub fn new(log: &Arc<Log>) -> Arc<Output> {
        Arc::new(Output { log: log.clone(), text: Mutex::default() })
    }

    /// Returns the message and place of the plugin's panic in one line, or `None` if it did not
    /// panic.
    pub fn panic(&self) -> Option<String> {
        panic_message(self.text().last.make_contiguous())
    }

    fn write(&self, error: bool, bytes: &[u8]) {
        let mut kept = self.text();
        for mut piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            while !piece.is_empty() {
                let rest = &mut kept.rests[usize::from(error)];
                let (fits, more) = piece.split_at(piece.len().min(LONGEST_LINE - rest.len()));
                rest.extend_from_slice(fits);
                piece = more;
                if rest.ends_with(b"\n") || rest.len() == LONGEST_LINE {
                    let line = text::line(&String::from_utf8_lossy(rest), LONGEST_LINE);
                    rest.clear();
                    if !line.is_empty() {
                        let level = if error { Level::Warn } else { Level::Info };
                        self.log.says(level, &line);
                    }
                    if error {
                        kept.last.push_back(line);
                        let gone = kept.last.len().saturating_sub(LAST_WORDS);
                        kept.last.drain(..gone);
                    }
                }
            }
        }
    }

    fn text(&self) -> MutexGuard<'_, Text> {
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

/// One of the two streams.
#[derive(Clone)]
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
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

/// Logs at once, so that the lines of both streams are in the order of the calls.
impl OutputStream for Stream {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.output.write(self.error, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
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
        let output = Output::new(&Log::new(&"a".into()));
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

    /// Collects what is logged.
    #[derive(Debug, Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn lines_of_both_streams_are_logged_in_the_order_of_the_calls() {
        let logged = Lines::default();
        let lines = logged.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || lines.clone()).finish();
        let _here = tracing::subscriber::set_default(subscriber);
        let output = Output::new(&Log::new(&"a".into()));
        let mut streams = [Stream::out(output.clone()), Stream::err(output)].map(|stream| stream.p2_stream());
        for n in 0..20 {
            for stream in &mut streams {
                assert!(stream.check_write().unwrap() > 0);
                stream.write(format!("line {n}\n").into()).unwrap();
            }
        }
        let text = || String::from_utf8(logged.0.lock().unwrap().clone()).unwrap();
        while text().lines().count() < 40 {
            tokio::task::yield_now().await;
        }
        let text = text();
        let order: Vec<_> =
            text.lines().map(|line| (line.contains("WARN"), line.split_once("line ").unwrap().1)).collect();
        let numbers: Vec<_> = (0..20).map(|n: u32| n.to_string()).collect();
        let expected = numbers.iter().flat_map(|n| [(false, &n[..]), (true, &n[..])]);
        assert_eq!(order, expected.collect::<Vec<_>>());
    }

    #[test]
    fn nothing_that_a_plugin_prints_is_kept_beyond_a_bound() {
        let output = Output::new(&Log::new(&"a".into()));
        for _ in 0..100 {
            output.write(true, &[b'a'; 10_000]);
            output.write(true, &[0x1b; 10_000]);
            output.write(true, &[0xff; 10_000]);
        }
        let text = output.text();
        assert_eq!(text.last.len(), LAST_WORDS);
        assert!(text.last.iter().all(|line| line.len() <= LONGEST_LINE + "...".len()));
        assert!(text.rests[1].len() < LONGEST_LINE);
    }
}
