//! async and await on the same loop (feature `async`).
//!
//! An [`Executor`] runs tasks on a [`Loop`]. There is no second loop: what a task waits for are handles of
//! that loop, and a handle drives the tasks. Callbacks and tasks live side by side, and each can cause the
//! other.
//!
//! ```no_run
//! use uv_handles::task::{Executor, sleep, spawn};
//! use uv_handles::{Error, Loop, Result};
//!
//! fn main() -> Result<()> {
//!     let event_loop = Loop::new()?;
//!     Executor::new(&event_loop).block_on(async {
//!         let other = spawn(async {
//!             sleep(500).await?;
//!             println!("half a second later");
//!             Ok::<_, Error>(())
//!         })?;
//!         println!("at once");
//!         other.await?
//!     })??;
//!     event_loop.close()
//! }
//! ```
//!
//! # When a task is polled
//!
//! **In the idle phase**: a task that has been spawned or woken is polled when the loop next calls its idle
//! handles, which is how an iteration begins. All tasks that wait for it are polled then, in the order in which
//! they were woken, each once (one that wakes itself: in the order in which its poll has returned). A task that is spawned or woken meanwhile, also by itself, is polled in the next
//! iteration, so that tasks do not keep the loop from anything else; and the loop does not wait for events while a
//! task is to be polled.
//!
//! So, in libuv's order of an iteration (idle, prepare, poll for I/O, check, closing, timers): what a timer, a poll,
//! a signal or an async handle wakes goes on at the beginning of the next iteration, after everything that is
//! due in this one. The loop's [`now`](Loop::now) has not changed since the timers were called: a task that
//! sleeps again and again does not drift in virtual time.
//!
//! An idle handle of the executor does it. Among the loop's other idle handles its place is where libuv puts the
//! one that was started last: in front.
//!
//! # What keeps a loop alive
//!
//! A task keeps its loop alive through the handles that it waits for, and by being due to be polled; a task that
//! waits for something else does not. So a run ends when nothing can happen any more. The executor's idle handle is
//! closed when its last task has ended: a loop whose tasks have all ended can be closed.
//!
//! Closing all handles that [`Loop::handles`] gives ends the loop's tasks as well: they are dropped in the closing
//! phase.
//!
//! # Dropping
//!
//! Every future and stream of this module may be dropped at any time, and then closes or stops the handle that it
//! waited with. [`timeout`] and [`JoinHandle::abort`] do that, and so does whatever selects among futures. Each says
//! in its documentation what may be lost by that; nothing is unless it says so.
//!
//! The one-shot functions ([`sleep`], [`timeout`], reading, writing) make and start their handle when they
//! are first polled, as all futures do nothing before. The streams ([`Interval`], [`Signals`], [`WakeUps`],
//! [`Messages`]) start when they are made, so that nothing is missed.
//!
//! # In a plugin
//!
//! Nothing is different: a task that is spawned in an export goes on between the calls, because handles drive it.
//! Only [`Executor::block_on`] answers ENOTSUP, as [`Loop::run`] does.
//!
//! # Panics
//!
//! A panic in a task ends the guest, as one in a callback does. The functions that need to know the loop by themselves
//! ([`spawn`], [`current_loop`], [`sleep`], [`timeout`], [`interval`], [`signal`]) panic where no task is running.

#[allow(unused_imports, reason = "for the documentation")]
use crate::Loop;

mod descriptor;
mod executor;
mod interval;
mod join_handle;
mod messages;
mod owned;
mod signals;
mod sleep;
mod slot;
mod tasks;
mod timeout;
mod wake_ups;
mod woken;

pub use descriptor::{AsyncDescriptor, Readiness};
pub use executor::{Executor, current_loop, spawn};
pub use futures_core::Stream;
pub use interval::{Interval, interval};
pub use join_handle::JoinHandle;
pub use messages::Messages;
pub use signals::{Signals, signal};
pub use sleep::{Sleep, sleep};
pub use timeout::timeout;
pub use wake_ups::WakeUps;
