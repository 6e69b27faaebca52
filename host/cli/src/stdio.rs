//! The process's standard output and error, written at once and completely.
//!
//! The standard library's streams keep part of a line back, which changes the order among several
//! ways to the same file. They also fail when another process has made the stream non-blocking.

use crate::os::{closed, stdio};
use rustix::io::Errno;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// The most that a guest writes in one call. WASI's streams use the same number.
const PERMIT: usize = 64 * 1024;

/// One of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standard {
    Output,
    Error,
}

impl Standard {
    /// Writes all of it, and waits for the reader as long as it takes.
    pub fn write_all(self, bytes: &[u8]) -> io::Result<()> {
        match self {
            _ if closed::at_start(self.number()) => Err(Errno::BADF.into()),
            Standard::Output => stdio::write_output(bytes),
            Standard::Error => stdio::write_error(bytes),
        }
    }

    fn number(self) -> i32 {
        match self {
            Standard::Output => 1,
            Standard::Error => 2,
        }
    }
}

impl io::Write for Standard {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // `self.write_all` would be the trait's, which calls this function.
        Standard::write_all(*self, bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl IsTerminal for Standard {
    fn is_terminal(&self) -> bool {
        match self {
            Standard::Output => io::IsTerminal::is_terminal(&io::stdout()),
            Standard::Error => io::IsTerminal::is_terminal(&io::stderr()),
        }
    }
}

impl StdoutStream for Standard {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(*self)
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(*self)
    }
}

/// The guest has the thread to itself: a write may block it.
impl OutputStream for Standard {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.write_all(&bytes).map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => StreamError::Closed,
            _ => StreamError::LastOperationFailed(error.into()),
        })
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[async_trait]
impl Pollable for Standard {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Standard {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write_all(bytes).map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
