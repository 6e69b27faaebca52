//! What the programs of the benchmark share, so that each side of a row is measured by the same code.
//!
//! A program of the benchmark does one piece of work once, and prints one line of JSON: what it has counted,
//! which has to be the same on every side, and what it has measured.

mod answers;
mod echo;
mod meter;
mod session;

pub use answers::{Answers, round_trips};
pub use echo::{Echo, echo_clients};
pub use meter::{Meter, memory};
pub use session::{Peer, Session};

/// The signal that is raised for the row about signals: SIGUSR1, which nothing else uses here.
pub const SIGNAL: i32 = libc::SIGUSR1;

/// The bytes of a message in the echo rows.
pub const MESSAGE: usize = 1024;

/// Lets this process open as many descriptors as it ever may.
pub fn raise_descriptor_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointers are valid for the calls.
    let result = unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit)
    };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

/// Raises [`SIGNAL`] in this process.
pub fn raise() {
    // SAFETY: it takes numbers only; whoever calls this has installed a handler.
    let result = unsafe { libc::kill(libc::getpid(), SIGNAL) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}
