//! `uv:wasi/pollables`: the pollables that poll handles watch.

use crate::bindings::exports::uv::handles::event_loop::LoopBorrow;
use crate::bindings::exports::uv::handles::poll::Poll;
use crate::bindings::exports::uv::handles::types::Error;
use crate::bindings::exports::uv::wasi::pollables::Guest;
use crate::bindings::wasi::io::poll::Pollable;
use crate::{Adapter, Owned, event_loop, with};
use std::cell::RefCell;
use std::collections::BTreeMap;
use uv_handles_core::{HandleId, Loops, SourceId};

/// Marks the numbers of pollables among those of all sources.
const POLLABLE: u64 = 1 << 63;

thread_local! {
    static POLLABLES: RefCell<Pollables> = RefCell::default();
}

/// The pollables of the handles that have one and are open.
#[derive(Default)]
pub struct Pollables {
    of_handles: BTreeMap<HandleId, Pollable>,
    /// How many there were so far.
    count: u64,
}

/// Gives access to the pollables. `f` must not call this function; it cannot be entered from the
/// guest, which is not called while `f` runs.
pub fn with_pollables<T>(f: impl FnOnce(&mut Pollables) -> T) -> T {
    POLLABLES.with_borrow_mut(f)
}

/// Whether a source is a pollable.
pub fn is_pollable(source: SourceId) -> bool {
    source.0 & POLLABLE != 0
}

/// Closes a handle, and drops its pollable if it has one.
pub fn close(loops: &mut Loops, handle: HandleId) {
    loops.close(handle);
    if loops.poll_source(handle).is_some_and(is_pollable) {
        with_pollables(|pollables| pollables.of_handles.remove(&handle));
    }
}

/// Drops the pollables of handles that were closed with their loop.
pub fn drop_closed(loops: &Loops) {
    with_pollables(|pollables| pollables.of_handles.retain(|&handle, _| loops.check_open(handle).is_ok()));
}

impl Pollables {
    /// The pollable of an open handle on one.
    pub fn of(&self, handle: HandleId) -> &Pollable {
        &self.of_handles[&handle]
    }
}

impl Guest for Adapter {
    fn create(owner: LoopBorrow<'_>, token: u64, pollable: Pollable) -> Result<Poll, Error> {
        with_pollables(|pollables| {
            pollables.count += 1;
            let source = SourceId(POLLABLE | pollables.count);
            let handle = with(|loops| loops.make_poll(event_loop::id(&owner), token, source))?;
            pollables.of_handles.insert(handle, pollable);
            Ok(Poll::new(Owned(handle)))
        })
    }
}
