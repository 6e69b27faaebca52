//! What a plugin has done so far, for whoever watches it from outside.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// What a plugin has done so far. From [`PluginHandle::stats`](crate::PluginHandle::stats) and
/// [`PluginSet::stats`](crate::PluginSet::stats).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginStats {
    /// Callbacks that have been called, those of timers among them.
    pub callbacks: u64,
    /// Callbacks of timers.
    pub timers: u64,
    /// How late those were.
    pub lateness: Lateness,
    /// Something keeps one of the plugin's loops alive; otherwise it is parked. As after its last call or
    /// delivery of events.
    pub alive: bool,
}

/// How long after their deadlines timers were called: a histogram. Whoever wants that of a while
/// subtracts the one of its beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lateness {
    /// How many timers were that late: those within the first of [`Lateness::BOUNDS`], those beyond it
    /// and within the second, and so on; at last those beyond all of them.
    pub counts: [u64; Lateness::BOUNDS.len() + 1],
    /// All of it together.
    pub total: Duration,
    /// The longest.
    pub longest: Duration,
}

impl Lateness {
    /// Up to how many milliseconds, inclusive, each count goes. The clock of a loop knows no less than one.
    pub const BOUNDS: [u64; 10] = [0, 1, 2, 5, 10, 20, 50, 100, 500, 1_000];
}

/// The same while the plugin runs. Only its own task writes. What a timer in time changes stands at the beginning, beside
/// each other: a plugin that wakes up after long finds none of it in a cache.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Counters {
    callbacks: AtomicU64,
    total: AtomicU64,
    longest: AtomicU64,
    alive: AtomicBool,
    counts: [AtomicU64; Lateness::BOUNDS.len() + 1],
}

impl Counters {
    /// A callback is called.
    pub(crate) fn called(&self) {
        add(&self.callbacks, 1);
    }

    /// It is a timer's, so many milliseconds after its deadline.
    pub(crate) fn timer(&self, late: u64) {
        let count = Lateness::BOUNDS.partition_point(|&bound| bound < late);
        add(&self.counts[count], 1);
        add(&self.total, late);
        self.longest.store(self.longest.load(Ordering::Relaxed).max(late), Ordering::Relaxed);
    }

    pub(crate) fn set_alive(&self, alive: bool) {
        self.alive.store(alive, Ordering::Relaxed);
    }

    pub(crate) fn stats(&self) -> PluginStats {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = self.counts.each_ref().map(of);
        PluginStats {
            callbacks: of(&self.callbacks),
            timers: counts.iter().sum(),
            lateness: Lateness {
                counts,
                total: Duration::from_millis(of(&self.total)),
                longest: Duration::from_millis(of(&self.longest)),
            },
            alive: self.alive.load(Ordering::Relaxed),
        }
    }
}

/// As only one task writes, the processor need not lock anything: that would end all that it does ahead.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_counted_where_its_lateness_belongs() {
        let counters = Counters::default();
        for late in [0, 0, 1, 3, 5, 6, 1_000, 1_001, u64::from(u32::MAX)] {
            counters.timer(late);
        }
        let Lateness { counts, total, longest } = counters.stats().lateness;
        assert_eq!(counts, [2, 1, 0, 2, 1, 0, 0, 0, 0, 1, 2]);
        assert_eq!(counters.stats().timers, 9);
        assert_eq!(longest, Duration::from_millis(u32::MAX.into()));
        assert_eq!(total, longest + Duration::from_millis(2_016));
    }
}
