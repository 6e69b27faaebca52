//! The system's monotonic clock.

use rustix::time::{ClockId, clock_gettime};

/// Returns the time in seconds and nanoseconds. A loop reads it once or twice per iteration, so this
/// avoids the overhead of `Instant`.
#[inline]
pub(crate) fn monotonic() -> (u64, u32) {
    let now = clock_gettime(ClockId::Monotonic);
    (now.tv_sec.unsigned_abs(), now.tv_nsec as u32)
}
