//! The harness of the whole-system tests: guests under the host, against the real OS.
//!
//! The suites are the files of `tests/`. Most suites have one guest program, a folder of
//! `guests/src/bin` by the suite's name, and each file of that folder is a case. The program's
//! first argument selects the case, so a suite is linked and compiled once. A case asserts by
//! itself; a test compares what it prints. Every case has a constant here (see [`Case`]) and a test
//! of its name, `<suite>_<case>`; a case without a test does not compile. [`generate_tests`] writes
//! the tests that only run a case:
//!
//! ```text
//! use uv_handles_tests::*;
//!
//! foreach_timer!(assert_test_exists);
//!
//! generate_tests! { check:
//!     timer_a_day_passes_at_once,
//!     timer_again,
//! }
//!
//! #[test]
//! fn timer_real_time() {
//!     assert_eq!(run(TIMER_REAL_TIME, |_| {}).succeeded(), ["called"]);
//! }
//! ```
//!
//! A new case is a new file, a line in its program's `main.rs`, and a line in the suite.
//!
//! No test waits for a time to pass. Whatever waits for something else to happen does it with
//! [`PATIENCE`], so that a test which would hang fails and says where.

#![deny(missing_docs, missing_debug_implementations)]

pub mod attacks;
mod beside;
mod case;
#[cfg(unix)]
pub mod chat;
mod compiled;
pub mod greedy;
mod guest;
#[path = "../guests/src/hash.rs"]
mod hash;
pub mod http_server;
pub mod javascript_order;
#[cfg(unix)]
pub mod line_stats;
pub mod os;
mod own_process;
pub mod plain;
pub mod plugins;
pub mod process;
pub mod python_peers;
#[cfg(unix)]
mod random;
pub mod script;
mod seeds;
pub mod supervised;

pub use beside::beside;
pub use case::Case;
pub use hash::Hash;
pub use own_process::own_process;
#[cfg(unix)]
pub use random::{random_calls, random_calls_composed};
pub use seeds::seeds;

pub use guest::{
    Configuration, End, Guest, Output, Running, State, async_linker, check, check_native, end_epoch, linker,
    run, runtime_linker, spawn, wasi_linker,
};

use std::path::PathBuf;
use std::time::{Duration, Instant};

include!(concat!(env!("OUT_DIR"), "/guests.rs"));

/// The time that a test waits for an event that must happen, before it fails. It bounds no
/// duration: it ends a test that would hang.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until a condition is true that is not reported, such as a signal handler's count.
///
/// # Panics
///
/// If it never is.
pub fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_true() {
        assert!(begin.elapsed() < PATIENCE, "it does not come true: {what}");
        std::thread::yield_now();
    }
}

/// Ends a program that is for Linux alone, on another system.
#[cfg(not(target_os = "linux"))]
pub fn linux_alone() -> std::process::ExitCode {
    eprintln!("this program runs on Linux alone");
    std::process::ExitCode::from(2)
}

/// Does not compile unless there is a function of this name in the test file.
#[macro_export]
macro_rules! assert_test_exists {
    ($name:ident) => {
        #[expect(unused_imports, reason = "naming it is all")]
        use self::$name as _;
    };
}

/// Writes a test for each of these guests: it calls this function with the guest.
#[macro_export]
macro_rules! generate_tests {
    ($run:path: $($case:ident),+ $(,)?) => {
        $(
            #[test]
            fn $case() {
                $run($crate::case!($case));
            }
        )+
    };
}

/// The directory of the build profile, where cargo puts programs.
pub fn build_dir() -> PathBuf {
    let program = std::env::current_exe().expect("this is a program");
    let dir = program.parent().expect("it is in a directory");
    // Tests are in a directory of their own.
    dir.ancestors().find(|dir| !dir.ends_with("deps")).expect("a directory has a parent").to_owned()
}

/// The component of a guest.
///
/// # Panics
///
/// If it has not been built.
pub fn component(guest: impl Into<Case>) -> PathBuf {
    guest_file(guest.into().component())
}

/// A component in target/guests by its name there, without `.wasm`.
fn guest_file(name: &str) -> PathBuf {
    let dir = std::env::var_os("UV_HANDLES_GUESTS")
        .map(PathBuf::from)
        .unwrap_or_else(|| build_dir().with_file_name("guests"));
    let file = dir.join(format!("{name}.wasm"));
    assert!(file.is_file(), "there is no {}: run `cargo xtask guests` first", file.display());
    file
}
