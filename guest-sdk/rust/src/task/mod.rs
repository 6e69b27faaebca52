//! Tasks: async and await on the same loop (feature `async`).
//!
//! An [`Executor`] runs tasks on a [`Loop`]. There is no second loop: tasks wait with handles of
//! that loop, and a handle of it polls them. Callbacks and tasks live side by side and can wake
//! each other.
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
//! **In the idle phase.** A task that has been spawned or woken is polled when the loop next calls
//! its idle handles, at the beginning of an iteration. All such tasks are polled then, each once,
//! in the order in which they were woken; a task that wakes itself counts from the return of its
//! poll. A task that is spawned or woken during this phase is polled in the next iteration, so that
//! tasks do not starve other handles. The loop does not wait for events while a task is to be
//! polled.
//!
//! libuv's order of an iteration is idle, prepare, poll for I/O, check, closing, timers. So a task
//! that is woken by a timer, poll, signal or async handle goes on at the beginning of the next
//! iteration, after everything that is due in this one.
//!
//! An idle handle of the executor polls the tasks. Among the loop's other idle handles its place is
//! that of the handle that was started last: in front.
//!
//! # Times
//!
//! [`sleep`] and [`timeout`] count from the clock at their first poll, and an [`Interval`] from its
//! making: each refreshes the loop's time first, as [`Loop::update_time`]. So `sleep(100)` takes
//! 100 ms, also in a task that has worked for long since the iteration began.
//!
//! # Keeping a loop alive
//!
//! A task keeps its loop alive while it waits with a handle and while it is to be polled. A task
//! that waits for something else does not, so a run ends when nothing can happen any more. The
//! executor's idle handle is closed when its last task has ended: a loop whose tasks have all ended
//! can be closed.
//!
//! Closing all handles that [`Loop::handles`] returns ends the loop's tasks as well. They are
//! dropped in the closing phase.
//!
//! # Dropping
//!
//! Every future and stream of this module may be dropped at any time, by [`timeout`], by
//! [`JoinHandle::abort`] or by a `select`. It then closes or stops the handle that it waited with.
//! Nothing is lost by that unless the documentation of the future says so.
//!
//! The one-shot functions ([`sleep`], [`timeout`], reading, writing) make and start their handle
//! when they are first polled. The streams ([`Interval`], [`Signals`], [`WakeUps`], [`Messages`])
//! start when they are made, so that nothing is missed.
//!
//! # WASI
//!
//! With the feature `wasi`, `AsyncPollable` waits for anything that WASI 0.2 can wait for. The module
//! `net` has TCP, UDP and name lookup, and the module `http` sends HTTP requests.
//!
//! # In a plugin
//!
//! A task that is spawned in an export goes on between the calls, because handles drive it. With the
//! feature `concurrent`, an async export of the component model may also await the futures of this
//! module itself: its callbacks are called while the export is suspended. Only
//! [`Executor::block_on`] answers ENOTSUP, as [`Loop::run`] does on a [hosted](Loop::hosted) loop.
//!
//! # Panics
//!
//! A panic in a task ends the guest, as one in a callback does. The functions that use the current
//! loop ([`spawn`], [`current_loop`], [`sleep`], [`timeout`], [`interval`], [`signal`]) know it in a
//! task, in a callback, and everywhere while the guest has one loop. They panic elsewhere.

#[allow(unused_imports, reason = "for the documentation")]
use crate::Loop;

mod descriptor;
mod executor;
#[cfg(feature = "wasi")]
pub mod http;
mod interval;
mod join_handle;
mod messages;
#[cfg(feature = "wasi")]
pub mod net;
mod owned;
#[cfg(feature = "wasi")]
mod pollable;
mod run_queue;
mod signals;
mod sleep;
mod slot;
mod tasks;
mod timeout;
mod wake_ups;
#[cfg(feature = "wasi")]
mod wasi_stream;

pub use descriptor::{AsyncDescriptor, Readiness};
pub use executor::{Executor, current_loop, spawn};
pub(crate) use executor::{WeakExecutor, calling};
pub use futures_core::Stream;
pub use interval::{Interval, interval};
pub use join_handle::JoinHandle;
pub use messages::Messages;
#[cfg(feature = "wasi")]
pub use pollable::{AsyncPollable, Ready};
pub use signals::{Signals, signal};
pub use sleep::{Sleep, sleep};
pub use timeout::timeout;
pub use wake_ups::WakeUps;
