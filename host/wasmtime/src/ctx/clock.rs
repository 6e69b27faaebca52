//! Where a guest's time comes from: the system's monotonic clock, or a virtual one.

use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A clock that stands still except while a loop waits, and then jumps to the next timer; for
/// [`UvCtxBuilder::virtual_clock`](crate::UvCtxBuilder::virtual_clock). Clones are the same clock.
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
    /// A clock that shows 0.
    pub fn new() -> VirtualClock {
        VirtualClock::default()
    }

    /// The time in milliseconds.
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Lets milliseconds pass, as if the guest had been busy for so long: its loops notice when they
    /// next refresh their time.
    pub fn advance(&self, milliseconds: u64) {
        let later = |now: u64| Some(now.saturating_add(milliseconds));
        // It is never refused.
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, later);
    }

    /// Lets time pass until this time, unless it has passed.
    pub(crate) fn advance_to(&self, time: u64) {
        self.0.fetch_max(time, Ordering::AcqRel);
    }
}

/// Gives the time in milliseconds since the guest's context was made. It never goes back.
#[derive(Debug)]
pub(crate) enum Clock {
    /// Real time.
    Monotonic {
        /// What the system showed when it began.
        origin: u64,
    },
    /// What the embedder supplied.
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

    /// How long it takes in real time until this clock shows this time; zero if it has passed.
    pub(crate) fn until(&self, time: u64) -> Duration {
        match self {
            Clock::Monotonic { origin } => {
                let now = clock_gettime(ClockId::Monotonic);
                let now = Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32);
                Duration::from_millis(origin.saturating_add(time)).saturating_sub(now)
            }
            Clock::Virtual(clock) => Duration::from_millis(time.saturating_sub(clock.now())),
        }
    }

    /// A time of this clock as the system's monotonic clock shows it. A virtual one has nothing to do with that.
    pub(crate) fn of_system(&self, time: u64) -> u64 {
        match self {
            Clock::Monotonic { origin } => origin.saturating_add(time),
            Clock::Virtual(_) => time,
        }
    }
}

/// The system's monotonic clock in milliseconds. A loop asks once or twice in each iteration, so without the detour of an
/// `Instant`.
pub(crate) fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000 + now.tv_nsec.unsigned_abs() / 1_000_000
}
