//! libuv's event loop for sandboxed WebAssembly guests.
//!
//! This crate gives a guest in a sandbox libuv's event loop: a [`Loop`], and on it [`Timer`],
//! [`Poll`], [`Signal`], [`Idle`], [`Prepare`], [`Check`] and [`Async`] handles. They live on the
//! host, which implements the interfaces of the package `uv:handles`. A guest can use what the host
//! granted to it, and nothing else.
//!
//! Make a handle, start it with a closure, run the loop:
//!
//! ```no_run
//! use uv_handles::{Handle, Loop, Result, RunMode, Timer};
//!
//! fn main() -> Result<()> {
//!     let event_loop = Loop::new()?;
//!     let timer = Timer::new(&event_loop)?;
//!     // Once, in half a second.
//!     timer.start_with(500, 0, |timer| {
//!         println!("half a second later");
//!         timer.close();
//!     })?;
//!     event_loop.run(RunMode::Default)?;
//!     event_loop.close()
//! }
//! ```
//!
//! This is the whole program, for the target `wasm32-wasip2`: no WIT, no build script. The crate
//! itself needs nothing from WASI, so a library for a host without WASI can use it as well.
//!
//! # Programs and plugins
//!
//! A **program** makes its loops with [`Loop::new`] and runs them with [`Loop::run`], which blocks
//! while there is nothing to do. A **plugin** is a library that states [`plugin!`], makes its loops
//! with [`Loop::hosted`], and returns from its exports; the host runs the loops between the calls.
//! The handles and their rules are the same in both.
//!
//! # Rules for all handles
//!
//! **Blocking.** [`Loop::run`] waits for events. No other function of this crate blocks.
//!
//! **Callbacks** are closures that receive their handle, so they rarely have to capture it. Any of
//! them may start, stop, close and drop any handle, its own included, and may replace itself: the
//! new closure is called from the next time on. Functions named `…_with` set the callback after the
//! call has succeeded; if it is refused, the callback stays the same. Callbacks run one after the
//! other, only inside `run`, in libuv's order.
//!
//! **Values are references.** A clone of a handle is the same handle. Dropping the last value
//! *detaches* the handle: it lives on in its loop, and its callback is still called. To end a
//! handle, [`close`](Handle::close) it. Its close callback comes in a later phase of the loop, and
//! then its closures are dropped with all that they captured. Values that are still held answer
//! [`is_closed`](Handle::is_closed). The host frees the handle when it is closed and its last value
//! is gone, and a [`Loop`] after all of its handles.
//!
//! A [`Descriptor`] is different: dropping the last value closes it, and a [`Poll`] does not keep
//! it open.
//!
//! **Callbacks that can fail** are set with `try_set_callback`: the error goes to the function that
//! [`Loop::set_on_error`] has set, and without one it ends the guest. Other callbacks return nothing.
//!
//! **Labels.** [`Handle::set_label`] names a handle for messages, such as the error of a loop that
//! cannot be closed because of it.
//!
//! **Errors** are values. [`Error::HandleClosed`] and [`Error::LoopClosed`] come from calls on a
//! handle or loop that is closed, [`Error::NotGranted`] (its code is ENOENT or EACCES) without a
//! grant. [`Error::Status`] carries a libuv code: EINVAL for invalid arguments, ENOMEM and EMFILE for
//! the host's limits, ENOTSUP for a function of programs in a plugin or the reverse. The
//! documentation of each function lists its own.
//!
//! **Times** are milliseconds. Functions that take a time take a number or a
//! [`Duration`](std::time::Duration): see [`Milliseconds`].
//!
//! # async and await
//!
//! With the feature `async`, the module `task` runs futures on the same loop, beside callbacks. It
//! works on every host.
//!
//! With the feature `concurrent`, `Loop::run_async` runs a loop in a guest with async functions
//! (WASI 0.3): the run awaits where `Loop::run` blocks, and other tasks of the guest go on
//! meanwhile. In a [`plugin!`], whose loops the host runs, async exports await the futures of the
//! module `task` themselves, beside the streams and futures of WASI 0.3.
//!
//! # WASI
//!
//! With the feature `wasi`, `Poll::on_pollable` makes a poll handle on what WASI 0.2 waits for: a
//! stream, a socket, a pending HTTP response, a clock. The host must have the package `uv:wasi`.
//!
//! # Tests
//!
//! With the feature `native`, outside of WebAssembly, the SDK runs on the machine itself in virtual
//! time: see the module `native`.
//!
//! # From the Python bindings of libuv
//!
//! Names of the Python package `uv` (python-libuv-cffi 0.0.4) and where they are here.
//!
//! | Python | Rust |
//! | --- | --- |
//! | `Loop()` | [`Loop::new`]; [`Loop::hosted`] in a plugin |
//! | `Loop.run(mode)` | [`Loop::run`] with a [`RunMode`] |
//! | `Loop.stop()`, `Loop.close()` | [`Loop::stop`], [`Loop::close`] |
//! | `Loop.closed`, `Loop.alive` | [`Loop::is_closed`], [`Loop::is_alive`] |
//! | `Loop.now`, `Loop.update_time()` | [`Loop::now`], [`Loop::update_time`] |
//! | `Loop.get_timeout()` | [`Loop::poll_timeout`] |
//! | `Loop.handles` | [`Loop::handles`] |
//! | `Handle` | the trait [`Handle`]; [`AnyHandle`] for a handle of any kind |
//! | `Handle.loop` | [`Handle::event_loop`] |
//! | `Handle.on_closed` | [`Handle::set_on_closed`] |
//! | `Handle.closed` | [`Handle::is_closed`] |
//! | `Handle.closing` | [`Handle::is_closing`] |
//! | `Handle.active` | [`Handle::is_active`] |
//! | `Handle.referenced` | [`Handle::is_referenced`]; to set it, `reference` and `dereference` |
//! | `Handle.send_buffer_size` | [`Handle::send_buffer_size`], [`Handle::set_send_buffer_size`] |
//! | `Handle.receive_buffer_size` | [`Handle::receive_buffer_size`], [`Handle::set_receive_buffer_size`] |
//! | `Handle.fileno()` | [`Handle::fileno`] |
//! | `Handle.reference()` | [`Handle::reference`] |
//! | `Handle.dereference()` | [`Handle::dereference`] |
//! | `Handle.close(on_closed)` | [`Handle::close`], [`Handle::close_with`] |
//! | `Handle.destroy()` | none: a closed handle is freed with its last value |
//! | `Async(loop, callback)` | [`Async::new`], [`Async::named`] |
//! | `Async.callback` | [`Async::set_callback`], a `FnMut(&Async)` |
//! | `Async.send(callback)` | [`Async::send`], [`Async::send_with`] |
//! | `Check(loop, callback)` | [`Check::new`] |
//! | `Check.callback` | [`Check::set_callback`], a `FnMut(&Check)` |
//! | `Check.start(callback)`, `Check.stop()` | [`Check::start`], [`Check::start_with`], [`Check::stop`] |
//! | `Idle(loop, callback)` | [`Idle::new`] |
//! | `Idle.callback` | [`Idle::set_callback`], a `FnMut(&Idle)` |
//! | `Idle.start(callback)`, `Idle.stop()` | [`Idle::start`], [`Idle::start_with`], [`Idle::stop`] |
//! | `Poll(fd, loop, callback)` | [`Poll::new`], for a [`Descriptor`] |
//! | `Poll.fd` | [`Handle::fileno`] for the number, [`Poll::descriptor`] |
//! | `Poll.callback` | [`Poll::set_callback`], a `FnMut(&Poll, Result<PollEvents, StatusCode>)` |
//! | `Poll.start(events, callback)`, `Poll.stop()` | [`Poll::start`], [`Poll::start_with`], [`Poll::stop`] |
//! | `PollEvent.READABLE`, `PollEvent.WRITABLE` | [`PollEvents::READABLE`], [`PollEvents::WRITABLE`] |
//! | `Prepare(loop, callback)` | [`Prepare::new`] |
//! | `Prepare.callback` | [`Prepare::set_callback`], a `FnMut(&Prepare)` |
//! | `Prepare.start(callback)`, `Prepare.stop()` | [`Prepare::start`], [`Prepare::start_with`], [`Prepare::stop`] |
//! | `Signal(loop, callback)` | [`Signal::new`] |
//! | `Signal.callback` | [`Signal::set_callback`], a `FnMut(&Signal, Signum)` |
//! | `Signal.signum` | [`Signal::signum`] |
//! | `Signal.start(signum, callback)`, `Signal.stop()` | [`Signal::start`], [`Signal::start_with`], [`Signal::stop`] |
//! | `Signals.SIGINT`, `SIGHUP`, `SIGWINCH` | [`Signum::SIGINT`], [`Signum::SIGHUP`], [`Signum::SIGWINCH`] |
//! | `Signals.SIGBREAK` | none: it exists on Windows only, and numbers here are Linux's |
//! | `Timer(loop, callback)` | [`Timer::new`] |
//! | `Timer.callback` | [`Timer::set_callback`], a `FnMut(&Timer)` |
//! | `Timer.repeat` | [`Timer::repeat`], [`Timer::set_repeat`] |
//! | `Timer.again()` | [`Timer::again`] |
//! | `Timer.start(timeout, callback, repeat)` | [`Timer::start`], [`Timer::start_with`] |
//! | `Timer.stop()` | [`Timer::stop`] |
//! | `StatusCode`, `StatusCode.SUCCESS` | [`StatusCode`], [`StatusCode::SUCCESS`] |
//! | `UVError` | [`Error::Status`]; its code is [`Error::code`] |
//! | `HandleClosedError`, `LoopClosedError` | [`Error::HandleClosed`], [`Error::LoopClosed`] |
//!
//! A constructor takes no callback here: `start_with` does, or `set_callback`.

#![deny(missing_docs, unsafe_code)]

mod any_handle;
mod async_handle;
mod async_sender;
mod batch;
#[doc(hidden)]
pub mod bindings;
mod callback;
mod callback_error;
mod command_buffer;
mod descriptor;
mod error;
mod event_loop;
mod handle;
mod imports;
mod label;
mod loops;
mod message;
mod milliseconds;
#[cfg(all(feature = "native", not(target_family = "wasm")))]
pub mod native;
mod not_granted;
#[doc(hidden)]
pub mod plugin;
mod poll;
mod poll_events;
mod registry;
mod run;
mod signal;
mod signum;
mod status;
#[cfg(feature = "async")]
pub mod task;
mod timer;
mod timer_pool;
mod watcher;

pub use any_handle::AnyHandle;
pub use async_handle::Async;
pub use async_sender::AsyncSender;
pub use callback_error::{CallbackError, CallbackResult};
pub use descriptor::{Descriptor, Shutdown};
pub use error::{BusyLoop, Error, Result};
pub use event_loop::{Loop, RunMode};
pub use handle::Handle;
pub use milliseconds::Milliseconds;
pub use not_granted::NotGranted;
pub use poll::Poll;
pub use poll_events::PollEvents;
pub use signal::Signal;
pub use signum::Signum;
pub use status::StatusCode;
pub use timer::Timer;
pub use watcher::{Check, Idle, Prepare};

/// The example of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
