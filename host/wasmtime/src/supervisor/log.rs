//! The log of one plugin. Its lines are bounded, because a plugin can print without end.

use super::text::one_line;
use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::Level;

/// The number of lines that a plugin can log at once.
const BURST: f64 = 200.0;
/// The number of lines per second that a plugin can log in the long run.
const PER_SECOND: f64 = 20.0;
/// The number of denied requests that are logged for each life.
const DENIALS: usize = 16;

/// A line of a plugin's log.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct LogLine<'a> {
    /// The plugin's name.
    pub plugin: &'a str,
    /// The source of the line.
    pub source: LogSource,
    /// The level: a plugin's standard error is [`Level::WARN`].
    pub level: Level,
    /// The line, without control characters and of at most about 4 KiB.
    pub text: &'a str,
}

/// The source of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogSource {
    /// The supervisor: starts, ends, denied requests.
    Supervisor,
    /// The plugin's standard output.
    Stdout,
    /// The plugin's standard error.
    Stderr,
}

impl LogSource {
    fn name(self) -> &'static str {
        match self {
            LogSource::Supervisor => "supervisor",
            LogSource::Stdout => "stdout",
            LogSource::Stderr => "stderr",
        }
    }
}

pub(crate) type Sink = Arc<dyn Fn(&LogLine<'_>) + Send + Sync>;

/// The log of one plugin, over all of its lives.
pub struct PluginLog {
    plugin: Arc<str>,
    /// The embedder's function. Without one, lines go to `tracing`.
    sink: Option<Sink>,
    /// Allocated with the first line of the plugin's own.
    lines: Mutex<Option<Box<Lines>>>,
}

#[derive(Debug)]
struct Lines {
    budget: Budget,
    denials: BTreeSet<String>,
}

/// A token bucket of lines.
#[derive(Debug)]
struct Budget {
    lines: f64,
    filled: Instant,
    left_out: u64,
    /// When the lines that were left out were told last.
    told: Option<Instant>,
}

/// The interval at which lines that were left out are told.
const NOTICES: Duration = Duration::from_secs(1);

impl PluginLog {
    pub(crate) fn new(plugin: &Arc<str>, sink: Option<Sink>) -> Arc<PluginLog> {
        Arc::new(PluginLog { plugin: plugin.clone(), sink, lines: Mutex::new(None) })
    }

    fn with_lines<R>(&self, call: impl FnOnce(&mut Lines) -> R) -> R {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Box::new(Lines { budget: Budget::new(Instant::now()), denials: BTreeSet::new() });
        call(lines.get_or_insert_with(new))
    }

    /// Returns the plugin's name.
    pub fn plugin(&self) -> &Arc<str> {
        &self.plugin
    }

    /// Logs a request of the plugin that was denied: once for each sentence, up to a bound.
    pub fn denied(&self, sentence: impl fmt::Display) {
        let sentence = one_line(sentence);
        let is_new =
            self.with_lines(|lines| lines.denials.len() < DENIALS && lines.denials.insert(sentence.clone()));
        if is_new {
            self.bounded(LogSource::Supervisor, Level::WARN, &sentence);
        }
    }

    /// Forgets the denied requests of the life before.
    pub(crate) fn begin_life(&self) {
        if let Some(lines) = &mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner) {
            lines.denials.clear();
        }
    }

    /// Logs a line of the plugin's output, unless the plugin has logged too many.
    pub(crate) fn says(&self, is_error: bool, line: &str) {
        let (source, level) = match is_error {
            false => (LogSource::Stdout, Level::INFO),
            true => (LogSource::Stderr, Level::WARN),
        };
        self.bounded(source, level, line);
    }

    fn bounded(&self, source: LogSource, level: Level, text: &str) {
        let taken = self.with_lines(|lines| lines.budget.take(Instant::now()));
        match taken {
            None => return,
            Some(0) => {}
            Some(left_out) => {
                self.tell(Level::WARN, &format!("{left_out} of its lines were too many for this log"));
            }
        }
        self.line(source, level, text);
    }

    /// Logs a sentence about the plugin.
    pub(crate) fn tell(&self, level: Level, text: &str) {
        self.line(LogSource::Supervisor, level, text);
    }

    fn line(&self, source: LogSource, level: Level, text: &str) {
        let plugin = &*self.plugin;
        let Some(sink) = &self.sink else {
            let source = source.name();
            return match level {
                Level::ERROR => tracing::error!(plugin, source, "{text}"),
                Level::WARN => tracing::warn!(plugin, source, "{text}"),
                _ => tracing::info!(plugin, source, "{text}"),
            };
        };
        let line = LogLine { plugin, source, level, text };
        guarded(plugin, "log", || sink(&line));
    }
}

/// Calls a function of the embedder. Its panic does not reach the plugin.
pub(crate) fn guarded(plugin: &str, hook: &str, call: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(call)).is_err() {
        tracing::error!(plugin, "the embedder's {hook} hook panicked");
    }
}

impl fmt::Debug for PluginLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginLog").field("plugin", &self.plugin).finish_non_exhaustive()
    }
}

impl Budget {
    fn new(now: Instant) -> Budget {
        Budget { lines: BURST, filled: now, left_out: 0, told: None }
    }

    /// Takes a line. Returns the number of lines that were left out before it and are to be told now,
    /// or `None` if this one is left out.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        (self.lines, self.filled) = ((self.lines + passed * PER_SECOND).min(BURST), now);
        if self.lines < 1.0 {
            self.left_out += 1;
            return None;
        }
        self.lines -= 1.0;
        let was_told = self.told.is_some_and(|told| now.saturating_duration_since(told) < NOTICES);
        if self.left_out == 0 || was_told {
            return Some(0);
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_bound_are_left_out_and_counted() {
        let begin = Instant::now();
        let mut budget = Budget::new(begin);
        let taken = (0..1_000).filter(|_| budget.take(begin).is_some()).count();
        assert_eq!(taken, BURST as usize);
        let later = begin + Duration::from_secs(1);
        assert_eq!(budget.take(later), Some(1_000 - BURST as u64));
        assert_eq!(budget.take(later), Some(0));
        let taken = (0..1_000).filter(|_| budget.take(later).is_some()).count();
        assert_eq!(taken, PER_SECOND as usize - 2);
        let much_later = begin + Duration::from_secs(3600);
        let taken = (0..1_000).filter(|_| budget.take(much_later).is_some()).count();
        assert_eq!(taken, BURST as usize);
    }

    #[test]
    fn lines_that_were_left_out_are_told_once_a_second() {
        let begin = Instant::now();
        let mut budget = Budget::new(begin);
        let (mut told, mut left_out, mut logged) = (0, 0, 0);
        // A thousand lines per second.
        for millisecond in 0..60_000 {
            match budget.take(begin + Duration::from_millis(millisecond)) {
                None => {}
                Some(0) => logged += 1,
                Some(more) => {
                    logged += 1;
                    told += 1;
                    left_out += more;
                }
            }
        }
        assert!((55..=60).contains(&told), "{told} times");
        assert!((1_300..=1_400).contains(&logged), "{logged} lines");
        assert!(left_out + logged > 58_000, "{left_out} were told");
    }

    #[test]
    fn denied_requests_are_logged_once_and_a_hook_that_panics_is_survived() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        let log = PluginLog::new(
            &"a".into(),
            Some(Arc::new(move |line: &LogLine<'_>| {
                assert_ne!(line.text, "panic");
                sink.lock().unwrap().push(line.text.to_owned());
            })),
        );
        for number in (0..100).chain(0..100) {
            log.denied(format_args!("number {number}"));
        }
        assert_eq!(lines.lock().unwrap().len(), DENIALS);
        log.tell(Level::INFO, "panic");
        log.tell(Level::INFO, "after");
        assert_eq!(lines.lock().unwrap().last().unwrap(), "after");
    }
}
