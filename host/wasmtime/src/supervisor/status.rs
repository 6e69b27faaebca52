//! The status of a plugin: its state, the reason for it, and its counters.

use crate::plugin::PluginStats;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// The state of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// Being started.
    Starting,
    /// It runs.
    Running,
    /// It runs, but nothing keeps it alive: it will not be called back.
    Parked,
    /// It has ended, and waits for its next start.
    BackingOff,
    /// It has failed, and is not started again.
    Failed,
    /// As failed, but it has ended by itself or by a command.
    Stopped,
}

impl State {
    /// All states.
    pub const ALL: [State; 6] =
        [State::Starting, State::Running, State::Parked, State::BackingOff, State::Failed, State::Stopped];

    /// Returns the state's name in lower case, such as `backing-off`.
    pub fn name(self) -> &'static str {
        match self {
            State::Starting => "starting",
            State::Running => "running",
            State::Parked => "parked",
            State::BackingOff => "backing-off",
            State::Failed => "failed",
            State::Stopped => "stopped",
        }
    }
}

/// The number of samples, a second apart, for rates.
#[cfg_attr(not(feature = "async"), allow(dead_code, reason = "a set takes no samples"))]
const SAMPLES: usize = 10;

/// The complete status of a plugin.
#[derive(Debug)]
pub(crate) struct Status {
    pub state: State,
    since: Instant,
    /// When it is started again.
    pub until: Option<Instant>,
    reason: Option<String>,
    pub problem: Option<String>,
    pub memory: usize,
    pub memory_limit: usize,
    pub restarts: u64,
    pub messages: Messages,
    /// The counters of all lives before this one.
    earlier: Option<Box<PluginStats>>,
    /// Recent sums with this life included; the last is the newest.
    samples: VecDeque<(Instant, PluginStats)>,
}

/// Counters of the messages to a plugin's mailbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Messages {
    /// Messages that were put into the mailbox.
    pub accepted: u64,
    /// Messages that were not.
    pub refused: u64,
}

/// A plugin as it is now.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PluginStatus {
    /// The name.
    pub name: String,
    /// The state.
    pub state: State,
    /// The time since the plugin entered the state.
    pub since: Duration,
    /// The time until it is started again.
    pub starts_in: Option<Duration>,
    /// The reason for its end, while it has ended: one line, bounded.
    pub reason: Option<String>,
    /// The reason why a newer version does not run instead of this one.
    pub problem: Option<String>,
    /// The counters of all lives.
    pub stats: PluginStats,
    /// Callbacks per second in the last ten seconds.
    pub callbacks_per_second: f64,
    /// The mean lateness of recent timers, or of all if there were none.
    pub late: Duration,
    /// The bytes of memory in use.
    pub memory: usize,
    /// The limit of these bytes.
    pub memory_limit: usize,
    /// The number of starts after the first of this version.
    pub restarts: u64,
    /// The messages that were sent through the supervisor.
    pub messages: Messages,
}

impl Status {
    pub(crate) fn new() -> Status {
        Status {
            state: State::Starting,
            since: Instant::now(),
            until: None,
            reason: None,
            problem: None,
            memory: 0,
            memory_limit: 0,
            restarts: 0,
            messages: Messages::default(),
            earlier: None,
            samples: VecDeque::new(),
        }
    }

    /// Changes the state.
    pub(crate) fn enter(&mut self, state: State, reason: Option<String>) {
        if state != self.state {
            (self.state, self.since) = (state, Instant::now());
        }
        (self.reason, self.until) = (reason, None);
    }

    /// Begins another version.
    #[cfg(feature = "async")]
    pub(crate) fn begin_version(&mut self, memory_limit: usize) {
        self.memory_limit = memory_limit;
        self.problem = None;
    }

    /// Records the counters of this life so far.
    #[cfg_attr(not(feature = "async"), allow(dead_code, reason = "a set takes no samples"))]
    pub(crate) fn sample(&mut self, now: Instant, life: PluginStats) {
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back((now, self.with_earlier(life)));
    }

    /// Ends the life.
    pub(crate) fn end_life(&mut self, life: PluginStats) {
        self.earlier = Some(Box::new(self.with_earlier(life)));
        // A plugin that does not run has no rate.
        self.samples.clear();
        self.memory = 0;
    }

    /// Adds the counters of earlier lives.
    pub(crate) fn with_earlier(&self, life: PluginStats) -> PluginStats {
        self.earlier.as_ref().map_or(life, |earlier| together(earlier, life))
    }

    /// Returns the counters of all lives at the last sample.
    fn total(&self) -> PluginStats {
        let earlier = self.earlier.as_deref().copied().unwrap_or_default();
        self.samples.back().map_or(earlier, |&(_, stats)| stats)
    }

    /// Returns the recent callbacks per second, and the recent mean lateness.
    fn lately(&self, total: &PluginStats) -> (f64, Duration) {
        let mean = |late: Duration, timers: u64| {
            late.checked_div(u32::try_from(timers).unwrap_or(u32::MAX)).unwrap_or_default()
        };
        let always = mean(total.lateness.total, total.timers);
        let (Some((begin, first)), Some((end, last))) = (self.samples.front(), self.samples.back()) else {
            return (0.0, always);
        };
        let seconds = end.duration_since(*begin).as_secs_f64();
        let callbacks = (last.callbacks - first.callbacks) as f64;
        let rate = if seconds > 0.0 { callbacks / seconds } else { 0.0 };
        let timers = last.timers - first.timers;
        let late = last.lateness.total.saturating_sub(first.lateness.total);
        (rate, if timers > 0 { mean(late, timers) } else { always })
    }

    /// Returns the status at this time.
    pub(crate) fn view(&self, name: &str, now: Instant) -> PluginStatus {
        let stats = self.total();
        let (callbacks_per_second, late) = self.lately(&stats);
        PluginStatus {
            name: name.to_owned(),
            state: self.state,
            since: now.saturating_duration_since(self.since),
            starts_in: self.until.map(|until| until.saturating_duration_since(now)),
            reason: self.reason.clone(),
            problem: self.problem.clone(),
            stats,
            callbacks_per_second,
            late,
            memory: self.memory,
            memory_limit: self.memory_limit,
            restarts: self.restarts,
            messages: self.messages,
        }
    }
}

/// Adds the counters of two lives. The depths are of the later one.
fn together(a: &PluginStats, b: PluginStats) -> PluginStats {
    let mut sum = b;
    sum.callbacks += a.callbacks;
    sum.timers += a.timers;
    sum.lateness.total += a.lateness.total;
    sum.lateness.longest = sum.lateness.longest.max(a.lateness.longest);
    sum.durations.total += a.durations.total;
    sum.durations.longest = sum.durations.longest.max(a.durations.longest);
    let add = |sums: &mut [u64], counts: &[u64]| sums.iter_mut().zip(counts).for_each(|(sum, a)| *sum += a);
    add(&mut sum.lateness.counts, &a.lateness.counts);
    add(&mut sum.durations.counts, &a.durations.counts);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(callbacks: u64, timers: u64, late: u64) -> PluginStats {
        let mut stats = PluginStats::default();
        (stats.callbacks, stats.timers) = (callbacks, timers);
        stats.lateness.total = Duration::from_millis(late);
        stats.lateness.longest = Duration::from_millis(late);
        stats.lateness.counts[1] = timers;
        stats.durations.counts[0] = callbacks;
        stats
    }

    #[test]
    fn the_counters_of_earlier_lives_are_added() {
        let mut status = Status::new();
        let origin = Instant::now();
        let at = |seconds| origin + Duration::from_secs(seconds);
        let milliseconds = Duration::from_millis;
        status.sample(at(0), stats(0, 0, 0));
        status.sample(at(1), stats(10, 4, 8));
        status.end_life(stats(20, 8, 16));
        let view = status.view("a", at(3));
        assert_eq!((view.stats.callbacks, view.callbacks_per_second, view.late), (20, 0.0, milliseconds(2)));
        status.sample(at(4), stats(0, 0, 0));
        status.sample(at(5), stats(20, 2, 8));
        let view = status.view("a", at(5));
        assert_eq!((view.stats.callbacks, view.stats.timers), (40, 10));
        assert_eq!(view.stats.lateness.longest, milliseconds(16));
        assert_eq!((view.callbacks_per_second, view.late), (20.0, milliseconds(4)));
        assert_eq!((view.stats.lateness.counts[1], view.stats.durations.counts[0]), (10, 40));
        for second in 6..20 {
            status.sample(at(second), stats(20, 2, 8));
        }
        let view = status.view("a", at(20));
        let late = Duration::from_micros(2_400);
        assert_eq!((view.stats.callbacks, view.callbacks_per_second, view.late), (40, 0.0, late));
    }
}
