//! The status of a plugin: its state, the reason for it, and its counters. The supervisor writes
//! it; the page and the metrics read it.

use serde::Serialize;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uv_handles_host::{AsyncSender, PluginStats};

/// The state of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Being compiled or initialized.
    Starting,
    Running,
    /// Running, but nothing keeps it alive: it will never be called back.
    Parked,
    /// It has ended, and waits for its next start.
    BackingOff,
    /// It has ended, and is not started again before a reload.
    Failed,
    /// As failed, but it has ended by itself or by a command.
    Stopped,
}

impl State {
    pub const ALL: [State; 6] =
        [State::Starting, State::Running, State::Parked, State::BackingOff, State::Failed, State::Stopped];

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
const SAMPLES: usize = 10;

/// The complete status of a plugin.
#[derive(Debug)]
pub struct Status {
    pub state: State,
    since: Instant,
    /// When it is started again.
    pub until: Option<Instant>,
    /// The reason for its end, while it has ended.
    pub reason: Option<String>,
    /// Why the newer version in the directory does not run instead of this one.
    pub problem: Option<String>,
    /// The component's file.
    pub component: String,
    pub listens: BTreeMap<String, SocketAddr>,
    pub async_handles: HashMap<String, AsyncSender>,
    pub memory: usize,
    pub memory_limit: usize,
    /// The limit of the mailbox.
    pub mailbox_bytes: usize,
    /// Starts after the first of this version.
    pub restarts: u64,
    pub messages: Messages,
    /// The counters of all lives before this one.
    earlier: PluginStats,
    /// Recent sums with this life included; the last is the newest.
    samples: VecDeque<(Instant, PluginStats)>,
}

/// Counters of the messages to a plugin.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Messages {
    pub accepted: u64,
    pub refused: u64,
}

impl Status {
    fn new() -> Status {
        Status {
            state: State::Starting,
            since: Instant::now(),
            until: None,
            reason: None,
            problem: None,
            component: String::new(),
            listens: BTreeMap::new(),
            async_handles: HashMap::new(),
            memory: 0,
            memory_limit: 0,
            mailbox_bytes: 0,
            restarts: 0,
            messages: Messages::default(),
            earlier: PluginStats::default(),
            samples: VecDeque::new(),
        }
    }

    /// Changes the state.
    pub fn enter(&mut self, state: State, reason: Option<String>) {
        if state != self.state {
            (self.state, self.since) = (state, Instant::now());
        }
        (self.reason, self.until) = (reason, None);
    }

    /// Records the counters of this life so far.
    pub fn sample(&mut self, now: Instant, life: PluginStats) {
        if self.samples.len() == SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back((now, together(self.earlier, life)));
    }

    /// The life is over.
    pub fn end_life(&mut self, now: Instant, life: PluginStats) {
        self.sample(now, life);
        self.earlier = self.total();
        // A plugin that does not run has no rate.
        self.samples.clear();
        self.memory = 0;
        self.async_handles.clear();
    }

    /// Returns the counters of all lives.
    pub fn total(&self) -> PluginStats {
        self.samples.back().map_or(self.earlier, |&(_, stats)| stats)
    }

    /// Callbacks per second lately, and by how much timers were late on average: lately, or ever if there were none
    /// lately.
    fn lately(&self) -> (f64, Duration) {
        let total = self.total();
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

    /// As it is now.
    pub fn view(&self, name: &str, now: Instant) -> View {
        let total = self.total();
        let (rate, late) = self.lately();
        View {
            name: name.to_owned(),
            component: self.component.clone(),
            state: self.state,
            seconds: now.duration_since(self.since).as_secs(),
            starts_in: self.until.map(|until| until.saturating_duration_since(now).as_secs_f64()),
            reason: self.reason.clone(),
            problem: self.problem.clone(),
            listens: self.listens.clone(),
            callbacks: total.callbacks,
            callbacks_per_second: rate,
            timers: total.timers,
            late_ms: late.as_secs_f64() * 1e3,
            latest_ms: total.lateness.longest.as_millis(),
            memory: self.memory,
            memory_limit: self.memory_limit,
            restarts: self.restarts,
            messages: self.messages,
        }
    }
}

/// Adds the counters of two lives.
fn together(a: PluginStats, b: PluginStats) -> PluginStats {
    let mut sum = b;
    sum.callbacks += a.callbacks;
    sum.timers += a.timers;
    sum.lateness.total += a.lateness.total;
    sum.lateness.longest = sum.lateness.longest.max(a.lateness.longest);
    for (sum, a) in sum.lateness.counts.iter_mut().zip(a.lateness.counts) {
        *sum += a;
    }
    sum
}

/// A plugin as the page and `GET /plugins` show it.
#[derive(Debug, Clone, Serialize)]
pub struct View {
    pub name: String,
    pub component: String,
    pub state: State,
    /// How long it has been in that state.
    pub seconds: u64,
    /// In how many seconds it is started again.
    pub starts_in: Option<f64>,
    pub reason: Option<String>,
    pub problem: Option<String>,
    pub listens: BTreeMap<String, SocketAddr>,
    pub callbacks: u64,
    pub callbacks_per_second: f64,
    pub timers: u64,
    /// By how many milliseconds timers were late lately, on average.
    pub late_ms: f64,
    /// And ever, at most.
    pub latest_ms: u128,
    pub memory: usize,
    pub memory_limit: usize,
    pub restarts: u64,
    pub messages: Messages,
}

/// A status that several tasks share.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Mutex<Status>>);

impl Shared {
    pub fn new() -> Shared {
        Shared(Arc::new(Mutex::new(Status::new())))
    }

    pub fn lock(&self) -> MutexGuard<'_, Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        stats
    }

    #[test]
    fn what_earlier_lives_have_done_is_added() {
        let mut status = Status::new();
        let at = |seconds| status_origin() + Duration::from_secs(seconds);
        status.sample(at(0), stats(0, 0, 0));
        status.sample(at(1), stats(10, 4, 8));
        status.end_life(at(2), stats(20, 8, 16));
        let view = status.view("a", at(3));
        assert_eq!((view.callbacks, view.callbacks_per_second, view.late_ms), (20, 0.0, 2.0));
        status.sample(at(4), stats(0, 0, 0));
        status.sample(at(5), stats(20, 2, 8));
        let view = status.view("a", at(5));
        assert_eq!((view.callbacks, view.timers, view.latest_ms), (40, 10, 16));
        assert_eq!((view.callbacks_per_second, view.late_ms), (20.0, 4.0));
        assert_eq!(status.total().lateness.counts[1], 10);
        for second in 6..20 {
            status.sample(at(second), stats(20, 2, 8));
        }
        let view = status.view("a", at(20));
        assert_eq!((view.callbacks, view.callbacks_per_second, view.late_ms), (40, 0.0, 2.4));
    }

    fn status_origin() -> Instant {
        static ORIGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        *ORIGIN.get_or_init(Instant::now)
    }
}
