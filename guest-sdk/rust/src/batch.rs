//! Batches: several callbacks and several changes of timers with one call of the host.
//!
//! The interface `batch` of the WIT package has one rule: before the first call inside a callback
//! of a batch, the guest tells the host how far the batch has come, and does not call the rest. The
//! rest comes again. To make that impossible to forget, every resource of the host is wrapped in
//! [`Synced`], which tells the host whenever it is dereferenced or dropped.
//!
//! Some operations are deferred, so that they neither end their batch nor cost a call each: closing
//! the handle whose callback runs, dropping a handle after its close callback, and changes of
//! timers of the [timer pool](crate::timer_pool). Changes wait in the command buffer. They are
//! flushed with the next call. One change alone is not deferred: see [`is_single`].
//!
//! All of this state belongs to the thread and not to a loop. It stays consistent because a
//! [`Run`](crate::run::Run) asks the host for the next callbacks right after a batch, and every
//! other call flushes first. While a run waits, no batch is being called and nothing is deferred.
//!
//! The state is never dropped, so that handles can be dropped while their thread ends.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::mem::{self, ManuallyDrop};
use std::ops::Deref;
use std::rc::Rc;

use crate::command_buffer::CommandBuffer;
use crate::imports::batch::{
    self as raw, BatchStep, Change, Operation, RunKey, TimerNumber, TimerPool, TokenPair,
};
use crate::imports::blocking_batch::{self, ReadyToken};
use crate::imports::check_host;
use crate::imports::types::{Error, Event, EventKind, PollEvents, Token};
use crate::registry::{self, Registered};
use crate::timer_pool;

/// The longest batch that the host may bring.
const MAX: u32 = 256;

thread_local! {
    /// Whether a callback of a batch is running.
    static STAGE: Cell<Stage> = const { Cell::new(Stage::Outside) };
    /// The run that brought the batch which is being called.
    static RUN: Cell<RunKey> = const { Cell::new(0) };
    /// The callback of that batch which is running.
    static RUNNING: Cell<Running> = const { Cell::new(Running { position: 0, token: 0 }) };
    /// The next change of a timer is better called than deferred: see [`is_single`].
    static IS_SINGLE: Cell<bool> = const { Cell::new(false) };
    /// Callbacks that are called alone, outside of a batch, make one change at most.
    static EXPECTS_ONE: Cell<bool> = const { Cell::new(true) };
    /// The changes that have not been flushed.
    static COMMANDS: RefCell<ManuallyDrop<CommandBuffer>> =
        const { RefCell::new(ManuallyDrop::new(CommandBuffer::new())) };
    /// [`flush`], once the guest has made a loop that it runs: see [`enable`].
    static FLUSH: Cell<Option<fn()>> = const { Cell::new(None) };
    /// Handles after their close callback, to be dropped once the host knows that it has returned.
    static CLOSED: RefCell<ManuallyDrop<Vec<Rc<dyn Registered>>>> =
        const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

/// Whether a callback of a batch is running. One variable, because it is asked after each callback.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// None is running, or the host has been told of it.
    Outside,
    /// One is running.
    Inside,
    /// One is running that may have withdrawn the rest of its batch.
    Last,
}

/// A callback of a batch.
#[derive(Clone, Copy)]
struct Running {
    position: u32,
    token: Token,
}

/// The callback of a batch that is running, until the host has been told of it.
fn running() -> Option<Running> {
    is_running().then(|| RUNNING.get())
}

fn is_running() -> bool {
    STAGE.get() != Stage::Outside
}

/// Calls the callbacks of a batch, up to the first that calls the host or may have withdrawn the
/// ones behind it.
pub(crate) fn dispatch(run: RunKey, events: impl ExactSizeIterator<Item = Event> + Clone) {
    registry::warm(events.clone().map(|event| event.token));
    IS_SINGLE.set(false);
    RUN.set(run);
    STAGE.set(Stage::Inside);
    for (position, event) in (0..).zip(events) {
        RUNNING.set(Running { position, token: event.token });
        registry::dispatch(event);
        match STAGE.get() {
            Stage::Inside => {}
            Stage::Last => break,
            Stage::Outside => return,
        }
    }
    // Otherwise the position goes with the changes, which the next call flushes.
    if !has_deferred() {
        STAGE.set(Stage::Outside);
    }
}

/// Calls the callback of an event that came alone.
#[inline(always)]
pub(crate) fn dispatch_alone(event: Event) {
    IS_SINGLE.set(EXPECTS_ONE.get());
    registry::dispatch(event);
}

/// Whether the change of a timer that follows is to be made by a call of its own: the first one of a
/// callback that is called alone. That and [`call_next_callbacks`] cost less than one call with a
/// list of changes, unless the callback makes more of them.
pub(crate) fn is_single() -> bool {
    IS_SINGLE.take()
}

/// Makes batches and deferred changes possible. Called for a loop that the guest runs.
///
/// A plugin has no such loop. Nothing in it refers to [`flush`] then, and it does not import the
/// host's functions for batches. Each import takes memory in each instance of a plugin.
pub(crate) fn enable() {
    // The compiler would replace a pointer that it knows by the function.
    FLUSH.set(Some(black_box(flush)));
}

/// Tells the host how far the batch has come and flushes the command buffer. Called before every
/// call of the host.
pub(crate) fn sync() {
    check_host();
    if is_running() || has_deferred() {
        flush_if_enabled();
    }
}

fn flush_if_enabled() {
    if let Some(flush) = FLUSH.get() {
        flush();
    }
}

fn has_deferred() -> bool {
    COMMANDS.with_borrow(|commands| !commands.is_empty()) || CLOSED.with_borrow(|closed| !closed.is_empty())
}

#[cold]
fn flush() {
    with_commands(|running, pool, changes| match running {
        Some(Running { position, .. }) => raw::advance(RUN.get(), position, pool, changes),
        None => {
            if let Some(pool) = pool {
                pool.flush(changes);
            }
        }
    });
    // The host has seen the close callbacks return. Dropping a handle may run code of the user.
    drop(CLOSED.with_borrow_mut(|closed| mem::take(&mut **closed)));
}

/// Empties the command buffer into a call that takes how far the batch has come and the changes.
fn with_commands<R>(call: impl FnOnce(Option<Running>, Option<&TimerPool>, &[Change]) -> R) -> R {
    let running = running();
    STAGE.set(Stage::Outside);
    COMMANDS.with_borrow_mut(|commands| {
        let result = match commands.is_empty() {
            // The host looks a borrowed resource up, so the pool goes along only where it is
            // needed.
            true => call(running, None, &[]),
            false => timer_pool::with_pool(|pool| call(running, pool, commands.changes())),
        };
        commands.clear();
        result
    })
}

/// The half of a token pair that stands for no token.
const NO_TOKEN: u32 = u32::MAX;

/// Whether a token fits into a token pair.
pub(crate) fn is_short(token: Token) -> bool {
    token < Token::from(NO_TOKEN)
}

/// The host's function that brings callbacks.
type Next = fn(RunKey, u32, Option<u32>, Option<&TimerPool>, &[Change]) -> Result<BatchStep, Error>;

/// The host's functions that continue a run, in one of two forms.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    next: Next,
    next_callbacks: fn(RunKey) -> TokenPair,
    /// Brings one poll handle that is ready.
    next_ready: Option<fn(RunKey) -> ReadyToken>,
}

/// Never blocks.
#[cfg(feature = "concurrent")]
pub(crate) const NON_BLOCKING: Form =
    Form { next: raw::next, next_callbacks: raw::next_callbacks, next_ready: None };

/// **Blocks** while nothing is due.
pub(crate) const BLOCKING: Form = Form {
    next: blocking_batch::next,
    next_callbacks: blocking_batch::next_callbacks,
    next_ready: Some(blocking_batch::next_ready),
};

/// Brings one or two callbacks without arguments and calls them. Returns whether there were any;
/// otherwise [`next`] brings the next step.
#[inline(always)]
pub(crate) fn call_next_callbacks(run: RunKey, form: Form) -> bool {
    if is_running() || has_deferred() {
        return false;
    }
    let tokens = (form.next_callbacks)(run);
    match (tokens as u32, (tokens >> 32) as u32) {
        (NO_TOKEN, _) => return false,
        (first, NO_TOKEN) => dispatch_alone(callback(first.into())),
        (first, second) => {
            dispatch(run, [first, second].map(|token| callback(token.into())).into_iter());
        }
    }
    true
}

/// Brings one poll handle that is ready and calls it. Returns whether there was one; otherwise [`next`]
/// brings the next step.
#[inline(always)]
pub(crate) fn call_next_ready(run: RunKey, form: Form) -> bool {
    let Some(next_ready) = form.next_ready else {
        return false;
    };
    if is_running() || has_deferred() {
        return false;
    }
    let brought = next_ready(run);
    let token = brought as u32;
    if token == NO_TOKEN {
        return false;
    }
    let events = PollEvents::from_bits_truncate((brought >> 32) as u8);
    dispatch_alone(ready((token.into(), events)));
    true
}

/// Brings the next callbacks of a run.
#[inline(always)]
pub(crate) fn next(run: RunKey, form: Form) -> Result<BatchStep, Error> {
    if CLOSED.with_borrow(|closed| !closed.is_empty()) {
        flush();
    }
    with_commands(|running, pool, changes| {
        if running.is_none() && !changes.is_empty() {
            // If one was expected, it has been made by a call.
            EXPECTS_ONE.set(changes.len() == 1 && !EXPECTS_ONE.get());
        }
        // Without a position, all of the batch has been called.
        (form.next)(run, MAX, running.map(|running| running.position), pool, changes)
    })
}

/// The event of a callback without arguments.
pub(crate) fn callback(token: Token) -> Event {
    Event { token, kind: EventKind::Callback }
}

/// The event of a poll handle that is ready.
pub(crate) fn ready((token, events): (Token, PollEvents)) -> Event {
    Event { token, kind: EventKind::Poll(Ok(events)) }
}

/// The event of a close callback.
pub(crate) fn closed(token: Token) -> Event {
    Event { token, kind: EventKind::Closed }
}

/// Defers closing the handle with this token if its own callback is running in a batch. Returns
/// whether it did; otherwise the handle has to be closed with a call.
pub(crate) fn defer_close_own(token: Token) -> bool {
    match running() {
        Some(Running { position, token: own }) if own == token => {
            COMMANDS.with_borrow_mut(|commands| commands.push(position, Operation::CloseOwn));
            true
        }
        _ => false,
    }
}

/// Defers an operation on a timer of the pool, by its token and its number.
// The operation is a closure so that each caller, which knows its operation, has its own copy of this
// function: nothing is left of the matches.
#[inline(always)]
pub(crate) fn defer(
    token: impl FnOnce() -> Token,
    timer: TimerNumber,
    operation: impl FnOnce(TimerNumber) -> Operation,
) {
    let running = running();
    IS_SINGLE.set(false);
    let is_full = COMMANDS.with_borrow_mut(|commands| {
        let operation = operation(timer);
        if let Some(running) = running {
            // Nothing behind in the batch depends on a timer that has just been called or opened.
            let withdraws_nothing = matches!(operation, Operation::Open(_))
                || commands.last_is_of(timer)
                || token() == running.token;
            if !withdraws_nothing {
                STAGE.set(Stage::Last);
            }
        }
        commands.push(running.map_or(0, |running| running.position), operation);
        commands.is_full()
    });
    if is_full || (running.is_none() && has_waits()) {
        flush_if_enabled();
    }
}

/// Drops a handle after its close callback. In a batch the drop is deferred until the host knows
/// that the callback has returned.
pub(crate) fn drop_closed(handle: Rc<dyn Registered>) {
    if is_running() {
        CLOSED.with_borrow_mut(|closed| closed.push(handle));
    }
}

#[cfg(feature = "concurrent")]
mod waits {
    use std::cell::Cell;

    thread_local! {
        static COUNT: Cell<u32> = const { Cell::new(0) };
    }

    /// While a value lives, a run of the guest awaits its next callback, and other tasks go on. A
    /// change that one of them makes has to reach the host at once: no call of the waiting run
    /// follows that could flush it.
    pub(crate) struct Waiting(());

    impl Waiting {
        pub(crate) fn new() -> Self {
            COUNT.set(COUNT.get() + 1);
            Self(())
        }
    }

    impl Drop for Waiting {
        fn drop(&mut self) {
            COUNT.set(COUNT.get() - 1);
        }
    }

    /// Whether a run of the guest is being awaited.
    pub(super) fn has_waits() -> bool {
        COUNT.get() > 0
    }
}

#[cfg(feature = "concurrent")]
pub(crate) use waits::Waiting;
#[cfg(feature = "concurrent")]
use waits::has_waits;

/// Only async functions can be suspended in a wait.
#[cfg(not(feature = "concurrent"))]
const fn has_waits() -> bool {
    false
}

/// A resource of the host. Dereferencing it means that a call follows, so it [syncs](sync).
pub(crate) struct Synced<R>(R);

impl<R> Synced<R> {
    pub(crate) const fn new(resource: R) -> Self {
        Self(resource)
    }

    /// The resource for calls that have nothing to do with loops. The host need not know which
    /// callback makes them.
    pub(crate) fn without_sync(&self) -> &R {
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

/// Dropping a resource is a call too. The resource itself is dropped after this.
impl<R> Drop for Synced<R> {
    fn drop(&mut self) {
        sync_out_of_line();
    }
}

/// [`sync`], without its code in every place that may drop a resource: the drop of a holder that has
/// given its resource back is then one comparison.
#[inline(never)]
fn sync_out_of_line() {
    sync();
}
