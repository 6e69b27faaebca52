//! The turns of a guest that runs in a task.
//!
//! A loop that always has something to do never waits, so its task would never yield to the other
//! tasks of its thread. Once in a while `next` therefore answers `wait` although something is due,
//! and the wait yields.

/// The turn of a guest: the time since its task last let other tasks run.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// The guest waits in a task, so its waits can yield.
    pub(crate) in_task: bool,
    /// The time of the turn's first poll, in milliseconds.
    began: Option<u64>,
    stage: Stage,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Running,
    /// The next poll tells the guest to wait.
    Over,
    /// The guest has been told to wait.
    Told,
}

impl Turn {
    /// Records the time of a poll. A turn ends with the first poll in a later millisecond. The
    /// resolution is that of a loop's time, so the clock is not read again.
    #[inline]
    pub(crate) fn polled(&mut self, now: u64) {
        let began = *self.began.get_or_insert(now);
        if now > began && self.stage == Stage::Running {
            self.stage = Stage::Over;
        }
    }

    /// Returns whether the guest has to be told to wait, once for each turn: a guest that asks for
    /// the next event instead gets it.
    #[inline]
    pub(crate) fn ends(&mut self) -> bool {
        match self.stage {
            Stage::Running => false,
            Stage::Over => {
                self.stage = Stage::Told;
                true
            }
            Stage::Told => {
                self.begin();
                false
            }
        }
    }

    /// Returns whether the guest's wait has to yield.
    pub(crate) fn is_over(&self) -> bool {
        self.stage != Stage::Running
    }

    /// Begins a turn, because other tasks have had theirs.
    pub(crate) fn begin(&mut self) {
        (self.began, self.stage) = (None, Stage::Running);
    }
}

#[cfg(test)]
mod tests {
    use super::Turn;

    #[test]
    fn a_turn_ends_in_the_next_millisecond_and_the_guest_is_told_once() {
        let mut turn = Turn::default();
        for now in [7, 7, 7] {
            turn.polled(now);
            assert!(!turn.is_over() && !turn.ends());
        }
        turn.polled(8);
        assert!(turn.is_over() && turn.ends() && turn.is_over());
        assert!(!turn.ends(), "a guest that does not wait continues");
        turn.polled(9);
        assert!(!turn.is_over());
        turn.polled(10);
        assert!(turn.ends());
        turn.begin();
        turn.polled(11);
        assert!(!turn.ends());
    }
}
