//! Writes to the standard streams.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// A file that is always empty.
pub const NULL: &str = "NUL";

/// A write to standard output has found no reader. The system has no other way to ask.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Writes all of it to standard output, and waits for the reader as long as it takes.
pub fn write_output(bytes: &[u8]) -> io::Result<()> {
    let written = write_all(io::stdout().lock(), bytes);
    if written.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        CLOSED.store(true, Ordering::Relaxed);
    }
    written
}

/// Writes all of it to standard error, and waits for the reader as long as it takes.
pub fn write_error(bytes: &[u8]) -> io::Result<()> {
    write_all(io::stderr().lock(), bytes)
}

/// By the standard library's streams, which write text to a console as its characters.
fn write_all(mut stream: impl Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

/// Whether standard output is a pipe without a reader.
pub fn output_is_closed() -> bool {
    CLOSED.load(Ordering::Relaxed)
}
