//! The synchronization types of the code that tests/loom checks.
//!
//! That code imports them from here, so that the loom tests can substitute loom's types under the
//! same source.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
pub(crate) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
