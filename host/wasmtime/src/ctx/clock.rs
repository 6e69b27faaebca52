//! A guest's clock: the system's monotonic clock, or a virtual one.

use crate::os::clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A clock that advances only while a loop waits, and then jumps to the next timer.
///
/// For [`UvCtxBuilder::virtual_clock`](crate::UvCtxBuilder::virtual_clock). Clones share the time.
///
/// ```
/// use uv_handles_host::VirtualClock;
///
/// let clock = VirtualClock::new();
/// clock.advance(1_500);
/// assert_eq!(clock.now(), 1_500);
/// ```
#[derive(Debug, Clone, Default)]
pub struct VirtualClock(Arc<AtomicU64>);

impl VirtualClock {
    /// Creates a clock at 0.
    pub fn new() -> VirtualClock {
        VirtualClock::default()
    }

    /// Returns the time in milliseconds.
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Advances the clock, as if the guest had computed for this time. Loops see it when they next
    /// refresh their time.
    pub fn advance(&self, milliseconds: u64) {
        let later = |now: u64| Some(now.saturating_add(milliseconds));
        // The update function always returns a value.
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, later);
    }

    /// Advances the clock to this time, unless it has passed.
    pub(crate) fn advance_to(&self, time: u64) {
        self.0.fetch_max(time, Ordering::AcqRel);
    }
}

/// A guest's clock, in milliseconds since its context was built. It never decreases.
#[derive(Debug)]
pub(crate) enum Clock {
    /// Real time.
    Monotonic {
        /// The system's time when the context was built.
        origin: u64,
    },
    /// A clock from the embedder.
    Virtual(VirtualClock),
}

impl Clock {
    pub(crate) fn new(virtual_clock: Option<VirtualClock>) -> Clock {
        match virtual_clock {
            None => Clock::Monotonic { origin: monotonic() },
            Some(clock) => Clock::Virtual(clock),
        }
    }

    pub(crate) fn now(&self) -> u64 {
        match self {
            Clock::Monotonic { origin } => monotonic().saturating_sub(*origin),
            Clock::Virtual(clock) => clock.now(),
        }
    }

    /// Returns the real time until this clock shows `time`; zero if that has passed.
    pub(crate) fn until(&self, time: u64) -> Duration {
        match self {
            Clock::Monotonic { origin } => {
                let (seconds, nanoseconds) = clock::monotonic();
                let now = Duration::new(seconds, nanoseconds);
                Duration::from_millis(origin.saturating_add(time)).saturating_sub(now)
            }
            Clock::Virtual(clock) => Duration::from_millis(time.saturating_sub(clock.now())),
        }
    }

    /// Converts a time that this clock has just shown to a real one, in milliseconds from anywhere.
    #[inline]
    pub(crate) fn as_real(&self, now: u64) -> u64 {
        match self {
            Clock::Monotonic { .. } => now,
            Clock::Virtual(_) => monotonic(),
        }
    }

    /// Converts a time of this clock to the system's monotonic clock. A virtual time is not
    /// converted.
    pub(crate) fn of_system(&self, time: u64) -> u64 {
        match self {
            Clock::Monotonic { origin } => origin.saturating_add(time),
            Clock::Virtual(_) => time,
        }
    }
}

/// Returns the system's monotonic clock in milliseconds.
pub(crate) fn monotonic() -> u64 {
    let (seconds, nanoseconds) = clock::monotonic();
    seconds * 1_000 + u64::from(nanoseconds / 1_000_000)
}
