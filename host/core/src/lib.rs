//! libuv's event loop and handles as a pure state machine.
//!
//! The handles are timer, idle, prepare, check, async, poll and signal.
//!
//! The crate knows no operating system, clock, thread or WebAssembly runtime. Time and readiness
//! are arguments. Callbacks are returned as [`Event`]s, one at a time. The driver of the state
//! machine does the waiting. The same rules therefore serve a native host, a simulation under test,
//! and a component that itself runs in a sandbox.
//!
//! [`Loops`] holds all loops of one guest. A run uses three methods: [`Loops::begin`],
//! [`Loops::step`] and [`Loops::polled`].
//!
//! ```
//! use uv_handles_core::{Limits, Loops, RunMode, Step};
//!
//! let mut loops = Loops::new(Limits::default());
//! let event_loop = loops.make_loop(0)?;
//! let timer = loops.make_timer(event_loop, 7)?;
//! loops.timer_start(timer, 1000, 0)?;
//!
//! let mut now = 0;
//! loops.begin(event_loop, RunMode::Default)?;
//! let alive = loop {
//!     match loops.step(event_loop, &mut || now)? {
//!         // A callback is due. It counts as running until the next step.
//!         Step::Deliver(event) => assert_eq!((event.token, now), (7, 1000)),
//!         // The loop waits. Only time passes in this example, so the wait ends at once.
//!         Step::Poll { timeout } => {
//!             now += u64::from(timeout.expect("a timer is active"));
//!             loops.polled(event_loop, now);
//!         }
//!         Step::Finished { alive } => break alive,
//!     }
//! };
//! assert!(!alive);
//! # Ok::<(), uv_handles_core::Error>(())
//! ```
//!
//! A rule that comes from libuv names its function in libuv 1.53 (Unix).

#![forbid(unsafe_code)]
#![deny(missing_docs, missing_debug_implementations)]

mod async_handle;
mod close;
mod error;
mod handle;
mod links;
mod loops;
mod poll;
mod run;
mod session;
mod signal;
#[cfg(test)]
mod testing;
mod timer;
mod timer_pool;
mod timer_queue;
mod upcoming;
mod warm;
mod watcher;
mod wheel;

pub use error::Error;
pub use handle::{Event, HandleId, Occurrence};
pub use loops::{Limits, LoopId, Loops};
pub use poll::{PollEvents, Readiness, SourceId};
pub use run::{RunMode, Step, Wait, WaitStage};
pub use session::{
    Delivery, Driver, NO_READY_TOKEN, NO_TOKEN_PAIR, Progress, RunId, ready_token, token_pair,
};
pub use timer_pool::{Change, Operation, PoolId, TimerChange};
pub use upcoming::Upcoming;
