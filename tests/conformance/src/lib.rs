//! The differential test: runs random handle programs on native libuv and on this project's
//! implementations, and compares their traces.
//!
//! - [`generate`] makes a program from a seed;
//! - [`Native`] is libuv itself, with time and waiting under control, and [`Core`] the loop's core
//!   alone; the third side, a guest under the host, is with the other whole-system tests;
//! - [`differ`] compares, [`shrink`] makes a program that differs small;
//! - [`Coverage`] counts the steps that occurred: a generator that rarely makes the hard ones
//!   proves nothing;
//! - [`check`] does all of that for a range of seeds, as a command.

#![deny(missing_docs, missing_debug_implementations)]

mod check;
mod compare;
mod core;
mod coverage;
mod generate;
mod native;
mod peers;
mod shrink;

pub use check::{Options, Other, check};
pub use compare::{Difference, differ};
pub use core::Core;
pub use coverage::Coverage;
pub use generate::generate;
pub use native::{Native, error_name};
pub use peers::Peers;
pub use shrink::shrink;

/// The signals that programs raise: their default action is to be ignored.
pub const SIGNALS: [i32; 3] = [libc::SIGCHLD, libc::SIGURG, libc::SIGWINCH];

/// Signals that libuv accepts and no guest can watch.
pub const FORBIDDEN_SIGNALS: [i32; 8] =
    [libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGSEGV, 32, 33];

/// Raises a signal in this thread, and returns when its handler has.
pub fn raise(signum: i32) -> String {
    assert!(SIGNALS.contains(&signum), "{signum} is not one of the signals that are safe to raise");
    // SAFETY: it is ignored unless there is a handler.
    unsafe { libc::raise(signum) };
    "ok".into()
}
