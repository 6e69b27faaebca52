//! The synchronisation between threads that has to be right in every interleaving. What uses it takes it
//! from here, so that the model checker of tests/loom can put its own in its place, under the same code.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
pub(crate) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
