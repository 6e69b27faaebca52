//! A plugin's lines in the server's log. Their number is bounded: a plugin can print without end.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The number of lines that a plugin can log at once.
const BURST: f64 = 200.0;
/// The number of lines per second that a plugin can log in the long run.
const PER_SECOND: f64 = 20.0;

/// The log of one plugin, over all of its lives.
#[derive(Debug)]
pub struct Log {
    pub plugin: Arc<str>,
    budget: Mutex<Budget>,
}

/// How a line is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Info,
    Warn,
}

/// A token bucket of lines.
#[derive(Debug)]
struct Budget {
    lines: f64,
    filled: Instant,
    left_out: u64,
}

impl Log {
    pub fn new(plugin: &Arc<str>) -> Arc<Log> {
        Arc::new(Log { plugin: plugin.clone(), budget: Mutex::new(Budget::new(Instant::now())) })
    }

    /// Logs a line of the plugin's output.
    pub fn says(&self, level: Level, line: &str) {
        self.line(level, format_args!("{} says: {line}", self.plugin));
    }

    /// Logs what a plugin did that its manifest does not allow.
    pub fn warns(&self, sentence: &str) {
        self.line(Level::Warn, format_args!("{}: {sentence}", self.plugin));
    }

    /// Logs a line, unless the plugin has logged too many.
    fn line(&self, level: Level, line: fmt::Arguments<'_>) {
        let now = Instant::now();
        let taken = self.budget.lock().unwrap_or_else(PoisonError::into_inner).take(now);
        let plugin = &self.plugin;
        match taken {
            None => return,
            Some(0) => {}
            Some(left_out) => tracing::warn!("{plugin}: {left_out} of its lines were too many for this log"),
        }
        match level {
            Level::Info => tracing::info!("{line}"),
            Level::Warn => tracing::warn!("{line}"),
        }
    }
}

impl Budget {
    fn new(now: Instant) -> Budget {
        Budget { lines: BURST, filled: now, left_out: 0 }
    }

    /// Takes a line. Returns the number of lines that were left out before it, or `None` if this
    /// one is left out.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        (self.lines, self.filled) = ((self.lines + passed * PER_SECOND).min(BURST), now);
        if self.lines < 1.0 {
            self.left_out += 1;
            return None;
        }
        self.lines -= 1.0;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

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
}
