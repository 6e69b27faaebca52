//! The counters of a plugin.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The counters of a plugin, from [`PluginHandle::stats`](crate::PluginHandle::stats) and
/// [`PluginSet::stats`](crate::PluginSet::stats).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginStats {
    /// The number of callbacks called, timers included.
    pub callbacks: u64,
    /// The number of timer callbacks called.
    pub timers: u64,
    /// The lateness of the timer callbacks.
    pub lateness: Lateness,
    /// The durations of the callbacks that have returned.
    pub durations: Durations,
    /// The number of open handles after the last call or delivery of events.
    pub handles: u64,
    /// The number of messages that wait in the mailboxes of the plugin's async handles.
    pub mailbox_messages: u64,
    /// The bytes of these messages.
    pub mailbox_bytes: u64,
    /// Whether one of the plugin's loops was alive after its last call or delivery of events.
    /// Otherwise it is parked.
    pub alive: bool,
}

/// A histogram of the lateness of timers: the time from the deadline to the call. For an interval,
/// subtract the histogram of its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lateness {
    /// The number of timers in each range: within the first of [`Lateness::BOUNDS`], beyond it and
    /// within the second, and so on. The last count is of timers beyond all bounds.
    pub counts: [u64; Lateness::BOUNDS.len() + 1],
    /// The sum of all latenesses.
    pub total: Duration,
    /// The longest lateness.
    pub longest: Duration,
}

impl Lateness {
    /// The inclusive upper bounds of the counts in milliseconds, the resolution of a loop's clock.
    pub const BOUNDS: [u64; 10] = [0, 1, 2, 5, 10, 20, 50, 100, 500, 1_000];
}

/// A histogram of the durations of callbacks. In a task, the turns of other tasks are included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Durations {
    /// The number of callbacks in each range, as in [`Lateness::counts`].
    pub counts: [u64; Durations::BOUNDS.len() + 1],
    /// The sum of all durations.
    pub total: Duration,
    /// The longest duration.
    pub longest: Duration,
}

impl Durations {
    /// The inclusive upper bounds of the counts in microseconds.
    pub const BOUNDS: [u64; 6] = [10, 100, 1_000, 10_000, 100_000, 1_000_000];
}

/// The counters while the plugin runs. Only its own task writes them. The fields that a timer
/// changes when it is on time are adjacent at the start, because none of them is in a cache when a
/// plugin wakes after a long time.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Counters {
    callbacks: AtomicU64,
    total: AtomicU64,
    longest: AtomicU64,
    busy: AtomicU64,
    busiest: AtomicU64,
    durations: [AtomicU64; Durations::BOUNDS.len() + 1],
    counts: [AtomicU64; Lateness::BOUNDS.len() + 1],
    alive: AtomicBool,
    handles: AtomicU64,
}

impl Counters {
    /// Reads what a timer changes when it is on time, a word of each cache line.
    pub(super) fn warm(&self) -> u64 {
        self.callbacks.load(Ordering::Relaxed) ^ self.counts[0].load(Ordering::Relaxed)
    }

    /// Counts a callback.
    pub(crate) fn called(&self) {
        add(&self.callbacks, 1);
    }

    /// Counts a timer's callback, `late` milliseconds after its deadline.
    pub(crate) fn timer(&self, late: u64) {
        let count = Lateness::BOUNDS.partition_point(|&bound| bound < late);
        add(&self.counts[count], 1);
        add(&self.total, late);
        self.longest.store(self.longest.load(Ordering::Relaxed).max(late), Ordering::Relaxed);
    }

    /// Counts a callback that has returned.
    pub(crate) fn returned(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        add(&self.durations[Durations::BOUNDS.partition_point(|&bound| bound < micros)], 1);
        add(&self.busy, nanos);
        self.busiest.store(self.busiest.load(Ordering::Relaxed).max(nanos), Ordering::Relaxed);
    }

    pub(crate) fn set_alive(&self, alive: bool) {
        self.alive.store(alive, Ordering::Relaxed);
    }

    pub(crate) fn set_handles(&self, handles: usize) {
        self.handles.store(handles as u64, Ordering::Relaxed);
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
            durations: Durations {
                counts: self.durations.each_ref().map(of),
                total: Duration::from_nanos(of(&self.busy)),
                longest: Duration::from_nanos(of(&self.busiest)),
            },
            handles: of(&self.handles),
            // The mailboxes belong to the senders.
            mailbox_messages: 0,
            mailbox_bytes: 0,
            alive: self.alive.load(Ordering::Relaxed),
        }
    }
}

/// Adds to a counter. A read-modify-write instruction is not needed with one writer, and would
/// stall the processor's pipeline.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed).saturating_add(more), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_counted_in_the_range_of_its_lateness() {
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
