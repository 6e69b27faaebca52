//! Fewer calls to the host: several callbacks from one pull, several changes of timers in one call, and yet as if each
//! were alone.
//!
//! The contract has one rule for batches (the interface `batch` of the WIT package): before the first call to the
//! host inside a callback, the host is told how far the batch has come, and what stands behind is not called but
//! pulled again. So that no call can be forgotten, the host's resources are held in a [`Synced`], which sees
//! to it.
//!
//! Some calls are put off until then, so that a callback leaves its batch whole, and so that many of them become one:
//! closing its own handle, dropping a handle after its close callback, and what is done to timers of a
//! [`Stock`](crate::reserve::Stock).

use std::cell::{Cell, RefCell};
use std::ops::Deref;
use std::rc::Rc;

use crate::bindings::uv::handles::batch::{Reserve, TimerNumber, advance};
use crate::bindings::uv::handles::blocking::{Pulled, pull_callbacks, pull_next};
use crate::bindings::uv::handles::types::{Error, Event, Occurrence, PollEvents, Token};
use crate::changes::{Change, Changes};
use crate::registry::{self, Registered};
use crate::reserve;

/// How many callbacks a pull may bring.
pub(crate) const MAX: u32 = 256;

/// How many numbers the changes that are put off have at most.
const MOST_NUMBERS: usize = 4096;

thread_local! {
    /// The callback of a batch that is running, unless the host has been told of it.
    static RUNNING: Cell<Option<Running>> = const { Cell::new(None) };
    /// What stands behind it in the batch may have been withdrawn.
    static IS_LAST: Cell<bool> = const { Cell::new(false) };
    /// What was done and the host does not know, in order.
    static CHANGES: RefCell<Changes> = const { RefCell::new(Changes::new()) };
    /// Handles that have had their close callback, to be dropped when the host knows of it.
    static DONE: RefCell<Vec<Rc<dyn Registered>>> = const { RefCell::new(Vec::new()) };
}

#[derive(Clone, Copy)]
struct Running {
    position: u16,
    token: Token,
}

/// Calls the callbacks of a batch, up to the first one that calls the host or may have changed the batch.
pub(crate) fn dispatch(events: impl ExactSizeIterator<Item = Event> + Clone) {
    registry::warm(events.clone().map(|event| event.token));
    for (position, event) in (0..).zip(events) {
        RUNNING.set(Some(Running { position, token: event.token }));
        registry::dispatch(event);
        if RUNNING.get().is_none() {
            return;
        }
        if IS_LAST.get() {
            break;
        }
    }
    if !is_owing() {
        RUNNING.set(None);
    }
}

/// Tells the host where the batch is, if one is being called, and what has been put off. To be called before any call
/// of it.
pub(crate) fn sync() {
    if RUNNING.get().is_some() || is_owing() {
        tell();
    }
}

fn is_owing() -> bool {
    CHANGES.with_borrow(|changes| !changes.is_empty()) || DONE.with_borrow(|done| !done.is_empty())
}

#[cold]
fn tell() {
    tell_by(|position, reserve, changes| advance(position.unwrap_or(0).into(), reserve, changes));
    drop(DONE.take());
}

/// What the host gives in the place of a token.
const NO_TOKEN: u32 = u32::MAX;

/// Whether `pull-callbacks` can bring a callback of the handle with this token.
pub(crate) fn is_brief(token: Token) -> bool {
    token < Token::from(NO_TOKEN)
}

/// Pulls one or two callbacks without arguments of the loop that was pulled last, and calls them. Answers whether
/// there were any; otherwise it is to be pulled in the other form.
pub(crate) fn pull_and_dispatch_callbacks() -> bool {
    if RUNNING.get().is_some() || is_owing() {
        return false;
    }
    let tokens = pull_callbacks();
    match (tokens as u32, (tokens >> 32) as u32) {
        (NO_TOKEN, _) => return false,
        (first, NO_TOKEN) => registry::dispatch(callback(first.into())),
        (first, second) => {
            dispatch([first, second].map(|token| callback(token.into())).into_iter());
        }
    }
    true
}

/// The event of a callback without arguments.
pub(crate) fn callback(token: Token) -> Event {
    Event { token, what: Occurrence::Callback }
}

/// The event of a poll handle that is told no error.
pub(crate) fn ready((token, events): (Token, PollEvents)) -> Event {
    Event { token, what: Occurrence::Poll(Ok(events)) }
}

/// The event of a close callback.
pub(crate) fn closed(token: Token) -> Event {
    Event { token, what: Occurrence::Closed }
}

/// Pulls the next callbacks of the loop that was pulled last.
pub(crate) fn pull() -> Result<Pulled, Error> {
    if DONE.with_borrow(|done| !done.is_empty()) {
        tell();
    }
    // Without a position, all of the batch has been called.
    tell_by(|position, reserve, changes| {
        pull_next(MAX, position.map_or(u32::MAX, u32::from), reserve, changes)
    })
}

fn tell_by<R>(call: impl FnOnce(Option<u16>, Option<&Reserve>, &[u64]) -> R) -> R {
    let position = RUNNING.take().map(|running| running.position);
    IS_LAST.set(false);
    CHANGES.with_borrow_mut(|changes| {
        let result = match changes.is_empty() {
            true => call(position, None, &[]),
            false => reserve::with_shared(|reserve| call(position, reserve, changes.as_numbers())),
        };
        changes.clear();
        result
    })
}

/// Puts off closing the handle with this token, if it is its callback that runs, in a batch. Otherwise it is
/// to be closed now.
pub(crate) fn put_off_close(token: Token) -> bool {
    match RUNNING.get() {
        Some(Running { position, token: own }) if own == token => {
            CHANGES.with_borrow_mut(|changes| {
                changes.push(position, Change::CloseOwn);
            });
            true
        }
        _ => false,
    }
}

/// Puts off what is done to the timer with this token and number.
#[inline(always)]
pub(crate) fn put_off(token: impl FnOnce() -> Token, timer: TimerNumber, change: Change) {
    let running = RUNNING.get();
    let length = CHANGES.with_borrow_mut(|changes| {
        if let Some(running) = running {
            // Nothing that waits to be called can depend on a timer that has been called, or is new.
            let is_alone = matches!(change, Change::Open { .. })
                || changes.last_is_of(timer)
                || token() == running.token;
            if !is_alone {
                IS_LAST.set(true);
            }
        }
        changes.push(running.map_or(0, |running| running.position), change);
        changes.len()
    });
    if length + Changes::MOST_OF_ONE > MOST_NUMBERS {
        tell();
    }
}

/// Drops a handle that has had its close callback: in a batch when the host knows of that.
pub(crate) fn drop_closed(handle: Rc<dyn Registered>) {
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

impl<R> From<R> for Synced<R> {
    fn from(resource: R) -> Self {
        Self(resource)
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
