//! The restart policy of a manifest, as a state machine. Its input is the length of each life, its
//! output the time to wait.

use serde::Deserialize;
use std::time::Duration;

/// Which ends are followed by another start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// None.
    Never,
    /// Failures: traps, exits with another status than 0, errors of `init`, grants that fail.
    #[default]
    OnFailure,
    /// All: also of a plugin that has stopped by itself, or that nothing keeps alive.
    Always,
}

/// The policy and its back-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// Which ends.
    pub policy: Policy,
    /// The wait after the first end; it doubles with each that follows.
    pub initial: Duration,
    /// The longest wait.
    pub max: Duration,
    /// A life that was so long counts as a success: the waits begin anew.
    pub reset: Duration,
}

/// How a life has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The plugin ended by itself, successfully.
    Finished,
    /// The plugin failed.
    Failed,
}

/// The state of one plugin's restarts.
#[derive(Debug)]
pub struct BackOff {
    restart: Restart,
    next: Duration,
}

impl BackOff {
    /// Before its first life.
    pub fn new(restart: Restart) -> BackOff {
        BackOff { restart, next: restart.initial }
    }

    /// Records the end of a life. Returns the wait before the next one, or `None` if there is no
    /// next one.
    pub fn ended(&mut self, ending: Ending, lived: Duration) -> Option<Duration> {
        match (self.restart.policy, ending) {
            (Policy::Never, _) | (Policy::OnFailure, Ending::Finished) => return None,
            (Policy::OnFailure, Ending::Failed) | (Policy::Always, _) => {}
        }
        if lived >= self.restart.reset {
            self.next = self.restart.initial;
        }
        let wait = self.next.min(self.restart.max);
        self.next = wait.saturating_mul(2).min(self.restart.max);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn back_off(policy: Policy) -> BackOff {
        BackOff::new(Restart { policy, initial: SECOND, max: 10 * SECOND, reset: 60 * SECOND })
    }

    /// When the lives begin and end, on a clock that only the waits and the lives move.
    fn begins(back_off: &mut BackOff, lives: &[u64]) -> Vec<u64> {
        let mut now = Duration::ZERO;
        let mut begins = vec![0];
        for &life in lives {
            let life = Duration::from_secs(life);
            now += life;
            now += back_off.ended(Ending::Failed, life).unwrap();
            begins.push(now.as_secs());
        }
        begins
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let begins = begins(&mut back_off(Policy::OnFailure), &[0; 7]);
        assert_eq!(begins, [0, 1, 3, 7, 15, 25, 35, 45]);
    }

    #[test]
    fn a_long_life_is_a_success() {
        let begins = begins(&mut back_off(Policy::OnFailure), &[0, 0, 59, 60, 0]);
        assert_eq!(begins, [0, 1, 3, 66, 127, 129]);
    }

    #[test]
    fn the_policy_says_which_ends_count() {
        for (policy, finished, failed) in [
            (Policy::Never, None, None),
            (Policy::OnFailure, None, Some(SECOND)),
            (Policy::Always, Some(SECOND), Some(SECOND)),
        ] {
            assert_eq!(back_off(policy).ended(Ending::Finished, SECOND), finished, "{policy:?}");
            assert_eq!(back_off(policy).ended(Ending::Failed, SECOND), failed, "{policy:?}");
        }
    }

    #[test]
    fn a_first_wait_beyond_the_longest_is_the_longest() {
        let restart =
            Restart { policy: Policy::Always, initial: 5 * SECOND, max: SECOND, reset: Duration::MAX };
        let mut back_off = BackOff::new(restart);
        for _ in 0..100 {
            assert_eq!(back_off.ended(Ending::Finished, SECOND), Some(SECOND));
        }
        let endless = Restart { initial: Duration::MAX, max: Duration::MAX, ..restart };
        let mut back_off = BackOff::new(endless);
        for _ in 0..3 {
            assert_eq!(back_off.ended(Ending::Failed, SECOND), Some(Duration::MAX));
        }
    }
}
