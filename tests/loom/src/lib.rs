//! The host's code that several threads are in at once, under the model checker loom: it runs each model with every
//! possible interleaving and every value that the memory model lets a thread read. A thread that waits for ever
//! is reported as a deadlock, and something that is kept for ever as a leak.
//!
//! The code is the host's own, by `#[path]`. It takes its synchronisation from `crate::os::sync` and what ends a
//! wait from `crate::os`, and in this crate those are loom's.

// `cargo clippy --all-targets` looks at this crate with `cfg(test)` too, and so at the unit tests in the host's files.
#![cfg(not(test))]

mod grants;
mod os;
pub mod signals;
pub mod wake_ups;

/// Runs a model in every interleaving in which threads are interrupted at most so often (none: without
/// bound). Most mistakes between threads show with two interruptions.
fn check(interruptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = interruptions;
    builder.check(model);
}
