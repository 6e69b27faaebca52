//! Streams of WASI that tasks read and write.

use std::io;
use std::task::{Context, Poll, ready};

use wasip2::io::error::Error as IoError;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use crate::error::{Error, Result};
use crate::event_loop::Loop;
use crate::task::pollable::AsyncPollable;

/// The most bytes that one read brings.
const READ: usize = 65_536;

/// An input stream.
///
/// Reading waits first, so that each read takes an iteration of the loop: a peer that always has
/// something to send does not starve others.
#[derive(Debug)]
pub(super) struct Input {
    // A child of the stream, so it is dropped first.
    waits: AsyncPollable,
    stream: InputStream,
}

impl Input {
    pub(super) fn new(event_loop: &Loop, stream: InputStream) -> Result<Self> {
        Ok(Self { waits: AsyncPollable::new(event_loop, stream.subscribe())?, stream })
    }

    /// Reads what is there: nothing is the end. `fail` converts an error of the stream.
    pub(super) async fn read<E: From<Error>>(
        &self,
        max: usize,
        fail: impl Fn(IoError) -> E,
    ) -> Result<Vec<u8>, E> {
        if max == 0 {
            return Ok(Vec::new());
        }
        loop {
            self.waits.ready().await?;
            if let Some(read) = self.try_read(max, &fail)? {
                return Ok(read);
            }
        }
    }

    /// As `read`, for the function of the trait.
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
        fail: impl Fn(IoError) -> io::Error,
    ) -> Poll<io::Result<usize>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        loop {
            ready!(self.waits.poll_ready(cx)).map_err(io::Error::from)?;
            if let Some(read) = self.try_read(buffer.len(), &fail)? {
                buffer[..read.len()].copy_from_slice(&read);
                return Poll::Ready(Ok(read.len()));
            }
        }
    }

    /// None if there is nothing yet.
    fn try_read<E>(&self, max: usize, fail: impl Fn(IoError) -> E) -> Result<Option<Vec<u8>>, E> {
        match self.stream.read(max.min(READ) as u64) {
            Ok(read) if read.is_empty() => Ok(None),
            Ok(read) => Ok(Some(read)),
            Err(StreamError::Closed) => Ok(Some(Vec::new())),
            Err(StreamError::LastOperationFailed(error)) => Err(fail(error)),
        }
    }
}

/// The reason why a stream takes no more bytes.
pub(super) enum Refused {
    Closed,
    Failed,
    /// The wait failed.
    Wait(Error),
}

/// An output stream.
#[derive(Debug)]
pub(super) struct Output {
    // A child of the stream, so it is dropped first.
    waits: AsyncPollable,
    stream: OutputStream,
}

impl Output {
    pub(super) fn new(event_loop: &Loop, stream: OutputStream) -> Result<Self> {
        Ok(Self { waits: AsyncPollable::new(event_loop, stream.subscribe())?, stream })
    }

    /// Writes as many bytes as fit, and waits if none does.
    pub(super) async fn write(&self, bytes: &[u8]) -> Result<usize, Refused> {
        loop {
            if let Some(written) = self.try_write(bytes)? {
                return Ok(written);
            }
            self.waits.ready().await.map_err(Refused::Wait)?;
        }
    }

    /// As `write`, for the function of the trait.
    pub(super) fn poll_write(&self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, Refused>> {
        loop {
            if let Some(written) = self.try_write(bytes)? {
                return Poll::Ready(Ok(written));
            }
            ready!(self.waits.poll_ready(cx)).map_err(Refused::Wait)?;
        }
    }

    /// Waits until it takes more bytes.
    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        while self.stream.check_write().map_err(refused)? == 0 {
            ready!(self.waits.poll_ready(cx)).map_err(Refused::Wait)?;
        }
        Poll::Ready(Ok(()))
    }

    /// None if nothing fits now.
    fn try_write(&self, bytes: &[u8]) -> Result<Option<usize>, Refused> {
        let fits = match self.stream.check_write().map_err(refused)? {
            0 if !bytes.is_empty() => return Ok(None),
            fits => bytes.len().min(usize::try_from(fits).unwrap_or(usize::MAX)),
        };
        self.stream.write(&bytes[..fits]).map_err(refused)?;
        Ok(Some(fits))
    }
}

fn refused(error: StreamError) -> Refused {
    match error {
        StreamError::Closed => Refused::Closed,
        StreamError::LastOperationFailed(_) => Refused::Failed,
    }
}
