//! Tests of a guest's logic on the machine itself (feature `native`): no WebAssembly, no host.
//!
//! With this feature, outside of WebAssembly, the SDK runs on the loop's core in **virtual time**.
//! A wait moves the clock to the next event, so a test of minutes takes no time. The API is the
//! same, and so are the rules, order and errors of callbacks.
//!
//! A guest turns the feature on for its tests:
//!
//! ```toml
//! [dev-dependencies]
//! uv-handles = { version = "0.1", features = ["native"] }
//! ```
//!
//! ```
//! use std::cell::Cell;
//! use std::rc::Rc;
//! use uv_handles::{Handle, Loop, Result, RunMode, Timer, native};
//!
//! /// Calls `attempt` until it succeeds, after 1 s, 2 s, 4 s and so on.
//! fn retry(event_loop: &Loop, mut attempt: impl FnMut() -> bool + 'static) -> Result<()> {
//!     let mut delay = 1_000;
//!     Timer::new(event_loop)?.start_with(delay, 0, move |timer| {
//!         if attempt() {
//!             return timer.close();
//!         }
//!         delay *= 2;
//!         timer.start(delay, 0).expect("the timer is open");
//!     })
//! }
//!
//! // As a #[test]:
//! # fn main() -> Result<()> {
//! let event_loop = Loop::new()?;
//! let attempts = Rc::new(Cell::new(0));
//! let count = attempts.clone();
//! retry(&event_loop, move || {
//!     count.set(count.get() + 1);
//!     count.get() == 4
//! })?;
//! event_loop.run(RunMode::Default)?;
//! assert_eq!((attempts.get(), native::now()), (4, 15_000));
//! # event_loop.close()
//! # }
//! ```
//!
//! # What stands for the host
//!
//! | on the host | in a test |
//! | --- | --- |
//! | the clock | [`now`]; [`work`] for a callback that takes long |
//! | an event from outside at some time | [`after`] |
//! | the host of a plugin, between two calls of exports | [`advance`] |
//! | a signal | [`raise`]; every signal is granted |
//! | sending a named async handle, messages | [`send`], [`send_message`]; every name is granted |
//! | a connection to another guest | [`connect`] |
//! | a granted descriptor | [`stream`], [`listener`]: in memory |
//!
//! There is no WASI: a poll handle on a pollable (feature `wasi`) answers ENOTSUP.
//!
//! A named grant that the test has not made answers ENOENT. Functions of sockets that have no
//! meaning in memory (datagrams, addresses, buffer sizes) answer ENOTSOCK.
//!
//! # Time
//!
//! Callbacks and iterations take no time. If 1,000 iterations in a row do not wait, as with an
//! active idle handle, each one after that takes a millisecond. A run that could wait forever ends
//! with ECANCELED: see [`on_endless_wait`].
//!
//! # Threads
//!
//! Each thread has a clock, loops and grants of its own, and Rust's test harness gives each test a
//! thread. With `--test-threads=1` tests share one: its clock goes on, and handles that a test left
//! open stay.
//!
//! In WebAssembly the feature changes nothing, and this module does not exist.

mod driver;
mod hosted;
pub(crate) mod imports;
mod named;
mod schedule;
mod stream;
mod types;
mod world;

use crate::batch;
use crate::milliseconds::Milliseconds;
use crate::signum::Signum;

pub use hosted::advance;
pub use named::{Inbox, connect, send, send_message};
pub(crate) use schedule::between_waits;
pub use schedule::{after, on_endless_wait};
pub use stream::{Listener, Peer, listener, stream};

/// The clock, in milliseconds. It begins with 0 in each thread.
pub fn now() -> u64 {
    world::with(|world| world.now)
}

/// Moves the clock as computation would: for a callback that takes long. Nothing is called
/// meanwhile.
pub fn work(time: impl Into<Milliseconds>) {
    world::with(|world| world.move_clock(world.now.saturating_add(time.into().get())));
}

/// Delivers a signal to the process. Every handle that watches it is called once for it.
pub fn raise(signum: Signum) {
    // A handle may have been started by the callback that runs.
    batch::sync();
    world::with(|world| {
        let all: Vec<_> = world.loops.all_loops().collect();
        for id in all {
            world.loops.signal_delivered(id, signum.number());
        }
    });
}
