//! The system's monotonic clock.

use std::sync::OnceLock;
use std::time::Instant;

/// The first reading.
static ORIGIN: OnceLock<Instant> = OnceLock::new();

/// Returns the time in seconds and nanoseconds.
#[inline]
pub(crate) fn monotonic() -> (u64, u32) {
    let now = ORIGIN.get_or_init(Instant::now).elapsed();
    (now.as_secs(), now.subsec_nanos())
}
