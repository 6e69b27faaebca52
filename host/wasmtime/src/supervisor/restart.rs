//! The restart policy of a plugin, as a state machine. Its input is the length of each life, its
//! output the time to wait.

use std::time::Duration;

/// Which ends are followed by another start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Policy {
    /// None.
    Never,
    /// Failures: traps, exits with another status than 0, errors of `init`, grants that fail.
    #[default]
    OnFailure,
    /// All: also of a plugin that has stopped by itself, or that nothing keeps alive.
    Always,
}

/// The restart policy of a plugin and its back-off. By default, a plugin that failed is started
/// again after a second, and after at most a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// The ends that are followed by another start.
    pub policy: Policy,
    /// The wait after the first end; it doubles with each that follows.
    pub initial: Duration,
    /// The longest wait.
    pub max: Duration,
    /// A life that was so long counts as a success: the waits begin anew. A start that fails is not
    /// part of a life.
    pub reset: Duration,
}

impl Default for Restart {
    fn default() -> Restart {
        let seconds = Duration::from_secs;
        Restart { policy: Policy::default(), initial: seconds(1), max: seconds(60), reset: seconds(60) }
    }
}

/// How a life has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The plugin ended by itself, successfully.
    Finished,
    /// The plugin failed.
    Failed,
    /// The component cannot run, however often it is started.
    Unfit,
}

/// The state of one plugin's restarts.
#[derive(Debug)]
pub(crate) struct BackOff {
    /// The wait after the next end, unless it is the first one.
    next: Option<Duration>,
}

impl BackOff {
    /// Before its first life.
    pub(crate) fn new() -> BackOff {
        BackOff { next: None }
    }

    /// Records the end of a life, which is zero long if it has not begun. Returns the wait before the
    /// next one, or `None` if there is no next one.
    pub(crate) fn ended(&mut self, restart: &Restart, ending: Ending, lived: Duration) -> Option<Duration> {
        match (restart.policy, ending) {
            (Policy::Never, _) | (Policy::OnFailure, Ending::Finished) | (_, Ending::Unfit) => return None,
            (Policy::OnFailure, Ending::Failed) | (Policy::Always, _) => {}
        }
        let next = self.next.filter(|_| lived < restart.reset).unwrap_or(restart.initial);
        let wait = next.min(restart.max);
        self.next = Some(wait.saturating_mul(2).min(restart.max));
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn restart(policy: Policy) -> Restart {
        Restart { policy, initial: SECOND, max: 10 * SECOND, reset: 60 * SECOND }
    }

    /// When the lives begin and end, on a clock that only the waits and the lives move.
    fn begins(restart: &Restart, lives: &[u64]) -> Vec<u64> {
        let (mut now, mut back_off) = (Duration::ZERO, BackOff::new());
        let mut begins = vec![0];
        for &life in lives {
            let life = Duration::from_secs(life);
            now += life;
            now += back_off.ended(restart, Ending::Failed, life).unwrap();
            begins.push(now.as_secs());
        }
        begins
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let begins = begins(&restart(Policy::OnFailure), &[0; 7]);
        assert_eq!(begins, [0, 1, 3, 7, 15, 25, 35, 45]);
    }

    #[test]
    fn a_long_life_is_a_success() {
        let begins = begins(&restart(Policy::OnFailure), &[0, 0, 59, 60, 0]);
        assert_eq!(begins, [0, 1, 3, 66, 127, 129]);
    }

    #[test]
    fn the_policy_says_which_ends_count() {
        for (policy, finished, failed) in [
            (Policy::Never, None, None),
            (Policy::OnFailure, None, Some(SECOND)),
            (Policy::Always, Some(SECOND), Some(SECOND)),
        ] {
            let restart = restart(policy);
            for (ending, expected) in
                [(Ending::Finished, finished), (Ending::Failed, failed), (Ending::Unfit, None)]
            {
                assert_eq!(BackOff::new().ended(&restart, ending, SECOND), expected, "{policy:?}");
            }
        }
    }

    #[test]
    fn a_first_wait_beyond_the_longest_is_the_longest() {
        let restart =
            Restart { policy: Policy::Always, initial: 5 * SECOND, max: SECOND, reset: Duration::MAX };
        let mut back_off = BackOff::new();
        for _ in 0..100 {
            assert_eq!(back_off.ended(&restart, Ending::Finished, SECOND), Some(SECOND));
        }
        let endless = Restart { initial: Duration::MAX, max: Duration::MAX, ..restart };
        let mut back_off = BackOff::new();
        for _ in 0..3 {
            assert_eq!(back_off.ended(&endless, Ending::Failed, SECOND), Some(Duration::MAX));
        }
    }
}
