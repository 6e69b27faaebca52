//! The error of a refused call.

use std::fmt;
use std::io;

use crate::callback_error::Shown;
use crate::imports::types::Error as RawError;
use crate::loops;
use crate::not_granted::NotGranted;
use crate::registry;
use crate::status::StatusCode;

/// The result of a call that the host can refuse.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why a call was refused. A refused call has changed nothing, unless its documentation
/// says otherwise.
///
/// `Debug` shows what `Display` shows, for a `main` that returns the error.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// The handle is closing or closed.
    HandleClosed,
    /// The loop is closed.
    LoopClosed,
    /// The loop has handles that are not closed. Its code is EBUSY.
    LoopBusy(BusyLoop),
    /// The host has not granted what the guest has asked for. Its code is ENOENT, or EACCES for a
    /// signal.
    NotGranted(NotGranted),
    /// Any other reason, as libuv's status code.
    Status(StatusCode),
}

impl Error {
    /// The status code, none for a closed handle or loop.
    pub const fn code(&self) -> Option<StatusCode> {
        match self {
            Self::Status(code) => Some(*code),
            Self::LoopBusy(_) => Some(StatusCode::EBUSY),
            Self::NotGranted(asked) => Some(asked.code()),
            Self::HandleClosed | Self::LoopClosed => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HandleClosed => f.write_str("the handle is closing or closed"),
            Self::LoopClosed => f.write_str("the loop is closed"),
            Self::Status(code) => fmt::Display::fmt(code, f),
            Self::NotGranted(asked) => fmt::Display::fmt(asked, f),
            Self::LoopBusy(busy) => {
                fmt::Display::fmt(&StatusCode::EBUSY, f)?;
                fmt::Display::fmt(busy, f)
            }
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}

/// A loop that could not be closed. The error that has it names the handles which are not closed
/// when it is shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BusyLoop(u32);

/// So many handles are named.
const NAMED: usize = 8;

impl BusyLoop {
    pub(crate) const fn new(number: u32) -> Self {
        Self(number)
    }
}

impl fmt::Display for BusyLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handles = loops::find(self.0).map(|event_loop| registry::handles_of(&event_loop));
        let handles = handles.unwrap_or_default();
        for (at, handle) in handles.iter().take(NAMED).enumerate() {
            let (kind, handle) = (handle.kind(), handle.common());
            f.write_str(if at == 0 { "; not closed: " } else { ", " })?;
            fmt::Display::fmt(&Shown { kind, handle }, f)?;
            if !handle.is_open() {
                f.write_str(" (closing)")?;
            }
        }
        match handles.len().saturating_sub(NAMED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl fmt::Debug for BusyLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusyLoop").finish_non_exhaustive()
    }
}

impl From<StatusCode> for Error {
    fn from(code: StatusCode) -> Self {
        Self::Status(code)
    }
}

impl From<RawError> for Error {
    fn from(error: RawError) -> Self {
        match error {
            RawError::HandleClosed => Self::HandleClosed,
            RawError::LoopClosed => Self::LoopClosed,
            RawError::Code(_) | RawError::Other(_) => Self::Status(error.into()),
        }
    }
}

/// The kind is the standard library's for the code, [`io::ErrorKind::Other`] where it has none. The
/// error itself is the source.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        use io::ErrorKind;
        let kind = match error.code() {
            Some(StatusCode::EACCES | StatusCode::EPERM) => ErrorKind::PermissionDenied,
            Some(StatusCode::EADDRINUSE) => ErrorKind::AddrInUse,
            Some(StatusCode::EADDRNOTAVAIL) => ErrorKind::AddrNotAvailable,
            Some(StatusCode::EAGAIN) => ErrorKind::WouldBlock,
            Some(StatusCode::EBUSY) => ErrorKind::ResourceBusy,
            Some(StatusCode::ECONNABORTED) => ErrorKind::ConnectionAborted,
            Some(StatusCode::ECONNREFUSED) => ErrorKind::ConnectionRefused,
            Some(StatusCode::ECONNRESET) => ErrorKind::ConnectionReset,
            Some(StatusCode::EEXIST) => ErrorKind::AlreadyExists,
            Some(StatusCode::EHOSTUNREACH) => ErrorKind::HostUnreachable,
            Some(StatusCode::EINTR) => ErrorKind::Interrupted,
            Some(StatusCode::EINVAL) => ErrorKind::InvalidInput,
            Some(StatusCode::ENETDOWN) => ErrorKind::NetworkDown,
            Some(StatusCode::ENETUNREACH) => ErrorKind::NetworkUnreachable,
            Some(StatusCode::ENOENT) => ErrorKind::NotFound,
            Some(StatusCode::ENOMEM) => ErrorKind::OutOfMemory,
            Some(StatusCode::ENOTCONN) => ErrorKind::NotConnected,
            Some(StatusCode::ENOSYS | StatusCode::ENOTSUP) => ErrorKind::Unsupported,
            Some(StatusCode::EOF) => ErrorKind::UnexpectedEof,
            Some(StatusCode::EPIPE) => ErrorKind::BrokenPipe,
            Some(StatusCode::ETIMEDOUT) => ErrorKind::TimedOut,
            _ => ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, StatusCode};
    use std::io;

    #[test]
    fn an_error_shows_name_and_message() {
        let error = Error::from(StatusCode::EBUSY);
        assert_eq!(error.to_string(), "EBUSY: resource busy or locked");
        assert_eq!(error.code(), Some(StatusCode::EBUSY));
        assert_eq!(Error::LoopClosed.code(), None);
    }

    #[test]
    fn eagain_would_block() {
        let error = io::Error::from(Error::from(StatusCode::EAGAIN));
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        let source = error.get_ref().and_then(|e| e.downcast_ref::<Error>());
        assert_eq!(source, Some(&Error::Status(StatusCode::EAGAIN)));
    }
}
