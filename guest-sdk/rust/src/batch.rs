//! Batches: several callbacks from one pull, and yet as if one at a time.
//!
//! The contract has one rule for that (`blocking.pull` in the WIT package): before the first call to the host
//! inside a callback, the host is told how far the batch has come, and what stands behind is not called but
//! pulled again. So that no call can be forgotten, the host's resources are held in a [`Synced`], which sees
//! to it.
//!
//! Two calls that a callback often makes are put off instead, so that it leaves the batch whole: closing its
//! own handle, and dropping a handle after its close callback.

use std::cell::{Cell, RefCell};
use std::ops::Deref;

use crate::any_handle::AnyHandle;
use crate::bindings::uv::handles::event_loop::advance;
use crate::bindings::uv::handles::types::{Event, Token};
use crate::registry;

/// How many callbacks a pull may bring.
pub(crate) const MAX: u32 = 256;

thread_local! {
    /// The callback of a batch that is running, unless the host has been told of it.
    static RUNNING: Cell<Option<Running>> = const { Cell::new(None) };
    /// The positions at which callbacks have closed their own handles.
    static CLOSED: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
    /// Handles that have had their close callback, to be dropped when the host knows of it.
    static DONE: RefCell<Vec<AnyHandle>> = const { RefCell::new(Vec::new()) };
}

#[derive(Clone, Copy)]
struct Running {
    position: u32,
    token: Token,
}

/// Calls the callbacks of a batch, up to the first one that calls the host.
pub(crate) fn dispatch(events: &[Event]) {
    for (position, &event) in (0..).zip(events) {
        RUNNING.set(Some(Running { position, token: event.token }));
        registry::dispatch(event);
        if RUNNING.get().is_none() {
            return;
        }
    }
    let nothing_put_off = CLOSED.with_borrow(Vec::is_empty) && DONE.with_borrow(Vec::is_empty);
    match nothing_put_off {
        true => RUNNING.set(None),
        false => sync(),
    }
}

/// Tells the host where the batch is, if one is being called. To be called before any call of it.
pub(crate) fn sync() {
    if let Some(running) = RUNNING.get() {
        tell(running.position);
    }
}

#[cold]
fn tell(position: u32) {
    RUNNING.set(None);
    let closed = CLOSED.take();
    advance(position, &closed);
    drop(DONE.take());
}

/// Puts off closing the handle with this token, if it is its callback that runs, in a batch. Otherwise it is
/// to be closed now.
pub(crate) fn put_off_close(token: Token) -> bool {
    match RUNNING.get() {
        Some(running) if running.token == token => {
            CLOSED.with_borrow_mut(|closed| closed.push(running.position));
            true
        }
        _ => false,
    }
}

/// Drops a handle that has had its close callback: in a batch when the host knows of that.
pub(crate) fn drop_closed(handle: AnyHandle) {
    if RUNNING.get().is_some() {
        DONE.with_borrow_mut(|done| done.push(handle));
    }
}

/// A resource of the host. Whoever reaches for it is about to make a call.
pub(crate) struct Synced<R>(R);

impl<R> Synced<R> {
    pub(crate) const fn new(resource: R) -> Self {
        Self(resource)
    }

    /// For calls that have nothing to do with loops, so that the host need not know which callback makes them.
    pub(crate) fn aside(&self) -> &R {
        &self.0
    }
}

impl<R> Deref for Synced<R> {
    type Target = R;

    fn deref(&self) -> &R {
        sync();
        &self.0
    }
}

/// Dropping is a call too. The resource itself is dropped afterwards.
impl<R> Drop for Synced<R> {
    fn drop(&mut self) {
        sync();
    }
}
