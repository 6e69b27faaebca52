//! The harness of the whole-system tests: guests under the host, against the real OS.
//!
//! The guests are the programs of `guests/src/bin`, named `<suite>_<name>`; the suites are the files
//! of `tests/`. A guest asserts by itself, and what it prints a test compares. Every guest has a test
//! of its own name:
//!
//! ```text
//! use uv_handles_tests::*;
//!
//! foreach_timer!(assert_test_exists);
//!
//! #[test]
//! fn timer_a_day_passes_at_once() {
//!     check(TIMER_A_DAY_PASSES_AT_ONCE);
//! }
//! ```
//!
//! No test waits for a time to pass. Whatever waits for something else to happen does it with
//! [`PATIENCE`], so that a test which would hang fails and says where.

#![deny(missing_docs, missing_debug_implementations)]

pub mod attacks;
mod beside;
mod guest;
#[path = "../guests/src/hash.rs"]
mod hash;
pub mod os;
pub mod plain;
pub mod plugins;
pub mod process;
pub mod python;
mod random;

pub use beside::beside;
pub use hash::Hash;
pub use random::{random_calls, random_calls_composed};

pub use guest::{
    Configuration, End, Guest, Output, Running, State, async_linker, check, end_epoch, linker, run, spawn,
    wasi_linker,
};

use std::path::PathBuf;
use std::time::{Duration, Instant};

include!(concat!(env!("OUT_DIR"), "/guests.rs"));

/// How long a test waits for what must happen, before it fails. It is no bound on how long anything
/// may take: it ends what would hang.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something is true that no one reports, such as what a signal handler has counted.
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

/// Does not compile unless there is a function of this name in the test file.
#[macro_export]
macro_rules! assert_test_exists {
    ($name:ident) => {
        #[expect(unused_imports, reason = "naming it is all")]
        use self::$name as _;
    };
}

/// The directory of the build profile, where cargo puts programs.
pub fn build_dir() -> PathBuf {
    let program = std::env::current_exe().expect("this is a program");
    let dir = program.parent().expect("it is in a directory");
    // Tests are in a directory of their own.
    dir.ancestors().find(|dir| !dir.ends_with("deps")).expect("a directory has a parent").to_owned()
}

/// The component of a guest by name.
///
/// # Panics
///
/// If it has not been built.
pub fn component(name: &str) -> PathBuf {
    let dir = std::env::var_os("UV_HANDLES_GUESTS")
        .map(PathBuf::from)
        .unwrap_or_else(|| build_dir().with_file_name("guests"));
    let file = dir.join(format!("{name}.wasm"));
    assert!(file.is_file(), "there is no {}: run `cargo xtask guests` first", file.display());
    file
}
