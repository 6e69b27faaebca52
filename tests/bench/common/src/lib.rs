//! Code that the programs of the benchmark share, so that each side of a row is measured alike.
//!
//! A program of the benchmark does one piece of work once, and prints one line of JSON. The line
//! has the counts, which have to be the same on every side, and the measurements.

mod answers;
mod echo;
mod http;
mod meter;
mod session;

pub use answers::{Answers, round_trips};
pub use echo::{Echo, echo_clients};
pub use http::{Requests, http_server};
pub use meter::{Meter, memory};
pub use session::{Peer, Session};

/// The signal that is raised for the row about signals: SIGUSR1, which nothing else uses here.
pub const SIGNAL: i32 = libc::SIGUSR1;

/// The bytes of a message in the echo rows.
pub const MESSAGE: usize = 1024;

/// Raises this process's limit of open descriptors to its hard limit.
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
    // SAFETY: it takes numbers only; the caller has installed a handler.
    let result = unsafe { libc::kill(libc::getpid(), SIGNAL) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}
