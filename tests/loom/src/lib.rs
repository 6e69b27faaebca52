//! The host's concurrent code under the model checker loom. loom runs each model with every
//! possible interleaving and every value that the memory model lets a thread read. A thread that
//! waits for ever is reported as a deadlock, and an object that is kept for ever as a leak.
//!
//! The code is the host's own, by `#[path]`. It takes its synchronization from `crate::os::sync`
//! and its wakers from `crate::os`, and in this crate those are loom's.

// `cargo clippy --all-targets` looks at this crate with `cfg(test)` too, and so at the unit tests
// in the host's files.
#![cfg(not(test))]

mod grants;
mod os;
pub mod signals;
pub mod wake_ups;

/// Runs a model in every interleaving with at most this many preemptions of threads (none: without
/// a bound). Most concurrency bugs show with two preemptions.
fn check(interruptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = interruptions;
    builder.check(model);
}
