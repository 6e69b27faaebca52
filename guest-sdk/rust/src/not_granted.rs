//! The error of a request that the host has not granted. It tells what was asked for.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::mem::ManuallyDrop;

use crate::error::{Error, Result};
use crate::imports::types::Error as RawError;
use crate::message::{self, write_all};
use crate::signum::Signum;
use crate::status::StatusCode;

/// So many names are kept for messages.
const KEPT: usize = 16;

thread_local! {
    /// The number of the first name, and the names that were asked for last. Never dropped, so that a
    /// guest does not contain the code for it.
    static NAMES: RefCell<(u32, ManuallyDrop<VecDeque<String>>)> =
        const { RefCell::new((0, ManuallyDrop::new(VecDeque::new()))) };
}

/// A request of the guest that the host has not granted. The error that has it names it when it is
/// shown, together with the option of `uv-run` that grants it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NotGranted(Asked);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Asked {
    Signal(Signum),
    Named(Kind, u32),
}

/// A kind of grants that have names.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    AsyncHandle,
    AsyncSender,
    Descriptor,
}

impl NotGranted {
    /// The status code: EACCES for a signal, otherwise ENOENT.
    pub const fn code(&self) -> StatusCode {
        match self.0 {
            Asked::Signal(_) => StatusCode::EACCES,
            Asked::Named(..) => StatusCode::ENOENT,
        }
    }
}

/// The result of a function that takes the name of a grant.
pub(crate) fn named<T>(kind: Kind, name: &str, result: Result<T, impl Into<Error>>) -> Result<T> {
    match result.map_err(Into::into) {
        Err(Error::Status(StatusCode::ENOENT)) => Err(Error::NotGranted(not_granted(kind, name))),
        result => result,
    }
}

/// The result of watching a signal.
pub(crate) fn signal(signum: Signum, result: Result<(), RawError>) -> Result<()> {
    match result.map_err(Error::from) {
        Err(Error::Status(StatusCode::EACCES)) => Err(Error::NotGranted(NotGranted(Asked::Signal(signum)))),
        result => result,
    }
}

#[cold]
fn not_granted(kind: Kind, name: &str) -> NotGranted {
    let name = message::one_line(name);
    NAMES.with_borrow_mut(|(first, names)| {
        if names.len() == KEPT {
            names.pop_front();
            *first = first.wrapping_add(1);
        }
        names.push_back(name);
        NotGranted(Asked::Named(kind, first.wrapping_add(names.len() as u32 - 1)))
    })
}

fn name_of(number: u32) -> Option<String> {
    NAMES.with_borrow(|(first, names)| names.get(number.wrapping_sub(*first) as usize).cloned())
}

impl fmt::Display for NotGranted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_all(f, [self.code().name(), ": "])?;
        let (kind, number) = match self.0 {
            Asked::Signal(signum) => {
                let name = signum.name().map_or_else(|| signum.number().to_string(), str::to_owned);
                let option = name.strip_prefix("SIG").unwrap_or(&name).to_ascii_lowercase();
                return write_all(
                    f,
                    ["the signal ", &name, " was not granted (uv-run --signal ", &option, ")"],
                );
            }
            Asked::Named(kind, number) => (kind, number),
        };
        let Some(name) = name_of(number) else {
            return f.write_str("this name was not granted");
        };
        let mut not_granted = |kind| write_all(f, ["the ", kind, " \"", &name, "\" was not granted"]);
        match kind {
            Kind::AsyncHandle => {
                not_granted("async handle")?;
                write_all(f, [" (uv-run --wake ", &name, ")"])
            }
            Kind::AsyncSender => not_granted("async sender"),
            Kind::Descriptor => {
                not_granted("descriptor")?;
                match name.as_str() {
                    "stdin" => f.write_str(" (uv-run --stdin)"),
                    "stdout" => f.write_str(" (uv-run --stdout-as stdout)"),
                    _ => write_all(f, [" (uv-run --listen ", &name, "=ADDRESS:PORT, --connect, --udp, ...)"]),
                }
            }
        }
    }
}

impl fmt::Debug for NotGranted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_tells_what_was_asked_for() {
        for (kind, name, expected) in [
            (
                Kind::AsyncHandle,
                "reload",
                "ENOENT: the async handle \"reload\" was not granted (uv-run --wake reload)",
            ),
            (Kind::AsyncSender, "peer", "ENOENT: the async sender \"peer\" was not granted"),
            (Kind::Descriptor, "stdin", "ENOENT: the descriptor \"stdin\" was not granted (uv-run --stdin)"),
            (
                Kind::Descriptor,
                "c",
                "ENOENT: the descriptor \"c\" was not granted \
                 (uv-run --listen c=ADDRESS:PORT, --connect, --udp, ...)",
            ),
        ] {
            let error = Error::NotGranted(not_granted(kind, name));
            assert_eq!(error.to_string(), expected);
            assert_eq!(error.code(), Some(StatusCode::ENOENT));
        }
        let signal = Error::NotGranted(NotGranted(Asked::Signal(Signum::SIGTERM)));
        assert_eq!(signal.to_string(), "EACCES: the signal SIGTERM was not granted (uv-run --signal term)");
        assert_eq!(signal.code(), Some(StatusCode::EACCES));
    }

    #[test]
    fn names_are_bounded() {
        let first = not_granted(Kind::Descriptor, "first");
        let long = not_granted(Kind::Descriptor, &"ä".repeat(1000));
        assert!(long.to_string().len() < 300, "{long}");
        for number in 0..1000 {
            not_granted(Kind::AsyncHandle, &number.to_string());
        }
        assert_eq!(first.to_string(), "ENOENT: this name was not granted");
        assert!(NAMES.with_borrow(|(_, names)| names.len()) <= KEPT);
    }
}
