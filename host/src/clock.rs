//! Where a guest's time comes from: the system's monotonic clock, or a virtual one.

use std::time::Instant;

/// Gives the time in milliseconds since the guest's context was made. It never goes back.
#[derive(Debug)]
pub(crate) enum Clock {
    /// Real time.
    Monotonic {
        /// Where it begins.
        origin: Instant,
    },
    /// Time that stands still except while a loop waits, and then jumps to the next timer.
    Virtual {
        /// The time now.
        now: u64,
    },
}

impl Clock {
    pub(crate) fn new(virtual_time: bool) -> Clock {
        match virtual_time {
            false => Clock::Monotonic { origin: Instant::now() },
            true => Clock::Virtual { now: 0 },
        }
    }

    pub(crate) fn now(&self) -> u64 {
        match self {
            Clock::Monotonic { origin } => u64::try_from(origin.elapsed().as_millis()).unwrap_or(u64::MAX),
            Clock::Virtual { now } => *now,
        }
    }
}
