//! A handle of any kind, for what goes through all handles of a loop.

use std::fmt;

use crate::bindings::uv::handles::handle as raw;
use crate::handle::sealed::Sealed;
use crate::handle::{Common, Handle};
use crate::{Async, Check, Idle, Poll, Prepare, Signal, Timer};

/// A handle of any kind, as [`Loop::handles`](crate::Loop::handles) gives them.
///
/// It has the members of [`Handle`]; those of its kind are reached by matching.
#[derive(Clone, PartialEq, Eq)]
pub enum AnyHandle {
    /// A timer.
    Timer(Timer),
    /// An idle handle.
    Idle(Idle),
    /// A prepare handle.
    Prepare(Prepare),
    /// A check handle.
    Check(Check),
    /// An async handle.
    Async(Async),
    /// A poll handle.
    Poll(Poll),
    /// A signal handle.
    Signal(Signal),
}

/// The same expression for the handle inside, whatever its kind.
macro_rules! for_each_kind {
    ($any:expr, $handle:ident => $result:expr) => {
        match $any {
            AnyHandle::Timer($handle) => $result,
            AnyHandle::Idle($handle) => $result,
            AnyHandle::Prepare($handle) => $result,
            AnyHandle::Check($handle) => $result,
            AnyHandle::Async($handle) => $result,
            AnyHandle::Poll($handle) => $result,
            AnyHandle::Signal($handle) => $result,
        }
    };
}

impl AnyHandle {
    /// Drops the callback, and all later ones, for ever.
    pub(crate) fn retire_callback(&self) {
        for_each_kind!(self, handle => handle.0.callback.retire());
    }

    /// Whether its resource is used again, so that dropping it is no call.
    pub(crate) fn is_reserved(&self) -> bool {
        self.as_timer().is_some_and(|timer| timer.0.raw.puts_off())
    }
}

impl Sealed for AnyHandle {
    fn common(&self) -> &Common {
        for_each_kind!(self, handle => handle.common())
    }

    fn raw(&self) -> raw::AnyHandle<'_> {
        for_each_kind!(self, handle => handle.raw())
    }

    fn of_kind(handle: &AnyHandle) -> Option<&Self> {
        Some(handle)
    }

    fn as_timer(&self) -> Option<&Timer> {
        match self {
            AnyHandle::Timer(timer) => Some(timer),
            _ => None,
        }
    }
}

impl Handle for AnyHandle {}

/// As the handle inside shows itself.
impl fmt::Debug for AnyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for_each_kind!(self, handle => handle.fmt(f))
    }
}
