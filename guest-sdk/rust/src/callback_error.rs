//! Errors of callbacks that can fail.

use std::error::Error as StdError;
use std::fmt;

use crate::handle::Common;
use crate::handle::sealed::Sealed;
use crate::label;
use crate::message;

/// The result of a callback that can fail: `?` works with every error in it.
pub type CallbackResult = std::result::Result<(), Box<dyn StdError>>;

/// The error that a callback has returned, and the handle whose callback it was.
///
/// [`Loop::set_on_error`](crate::Loop::set_on_error) sets the function that gets it.
#[derive(Debug)]
pub struct CallbackError {
    handle: String,
    error: Box<dyn StdError>,
}

impl CallbackError {
    /// The kind of the handle, and its [label](crate::Handle::set_label) if it has one:
    /// `Timer "retry"`.
    pub fn handle(&self) -> &str {
        &self.handle
    }

    /// The error.
    pub fn error(&self) -> &(dyn StdError + 'static) {
        &*self.error
    }
}

impl fmt::Display for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the callback of {} failed: {}", self.handle, self.error)
    }
}

impl StdError for CallbackError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.error)
    }
}

/// A handle in messages: its kind, and its label or its number.
pub(crate) struct Shown<'a> {
    pub(crate) kind: &'static str,
    pub(crate) handle: &'a Common,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)?;
        match label::get(self.handle) {
            Some(label) => message::write_all(f, [" \"", &label, "\""]),
            None => {
                f.write_str(" ")?;
                fmt::Display::fmt(&self.handle.number(), f)
            }
        }
    }
}

/// Passes the error of a callback to its loop's function for errors. Without one, the guest ends.
#[cold]
pub(crate) fn report(kind: &'static str, handle: &impl Sealed, error: Box<dyn StdError>) {
    let handle = handle.common();
    let error = CallbackError { handle: Shown { kind, handle }.to_string(), error };
    if let Err(error) = handle.event_loop().call_on_error(error) {
        panic!("{error}");
    }
}
