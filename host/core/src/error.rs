//! Errors of refused calls.
//!
//! Each error has one libuv name. The crates around the core turn it into the status code of their
//! contract.

use std::fmt;

/// The reason why a call was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Error {
    /// The handle is closing or closed.
    HandleClosed,
    /// The loop is closed.
    LoopClosed,
    /// The loop is already running, or has handles that are not closed (EBUSY).
    Busy,
    /// An argument is out of range, or the call is not valid for the handle (EINVAL).
    Invalid,
    /// The signal was not granted (EACCES).
    AccessDenied,
    /// Another poll handle is active on the same descriptor (EEXIST).
    Exists,
    /// The descriptor was dropped or closed (EBADF).
    BadDescriptor,
    /// The guest has as many handles as its limit allows (ENOMEM).
    TooManyHandles,
    /// The guest has as many loops as its limit allows (EMFILE).
    TooManyLoops,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::HandleClosed => "the handle is closing or closed",
            Error::LoopClosed => "the loop is closed",
            Error::Busy => "the loop is running or has open handles (EBUSY)",
            Error::Invalid => "invalid argument (EINVAL)",
            Error::AccessDenied => "the signal was not granted (EACCES)",
            Error::Exists => "another poll handle is active on the descriptor (EEXIST)",
            Error::BadDescriptor => "the descriptor is no longer open (EBADF)",
            Error::TooManyHandles => "the limit on handles is reached (ENOMEM)",
            Error::TooManyLoops => "the limit on loops is reached (EMFILE)",
        })
    }
}

impl std::error::Error for Error {}
