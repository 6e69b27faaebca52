//! A handle of any kind, for code that goes through all handles of a loop.

use std::fmt;
use std::rc::Rc;

use crate::handle::sealed::Sealed;
use crate::handle::{Common, Handle, OnClosed};
use crate::imports::handle as raw;
use crate::registry::Registered;
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

/// Evaluates the same expression for the handle inside, of any kind.
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

impl Sealed for AnyHandle {
    fn common(&self) -> &Common {
        for_each_kind!(self, handle => handle.common())
    }

    fn raw(&self) -> raw::AnyHandle<'_> {
        for_each_kind!(self, handle => handle.raw())
    }

    fn of_kind(handle: Rc<dyn Registered>) -> Option<Self> {
        fn of<K: Handle>(handle: &Rc<dyn Registered>) -> Option<AnyHandle> {
            K::of_kind(handle.clone()).map(Into::into)
        }
        [of::<Timer>, of::<Idle>, of::<Prepare>, of::<Check>, of::<Async>, of::<Poll>, of::<Signal>]
            .iter()
            .find_map(|of_kind| of_kind(&handle))
    }

    fn put_on_closed(&self, on_closed: OnClosed<Self>) {
        for_each_kind!(self, handle => {
            handle.put_on_closed(Box::new(move |handle| on_closed(&handle.clone().into())));
        });
    }

    fn as_timer(&self) -> Option<&Timer> {
        match self {
            AnyHandle::Timer(timer) => Some(timer),
            _ => None,
        }
    }
}

impl Handle for AnyHandle {}

/// The output of the handle inside.
impl fmt::Debug for AnyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for_each_kind!(self, handle => handle.fmt(f))
    }
}
