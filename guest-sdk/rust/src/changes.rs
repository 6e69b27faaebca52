//! What was done to timers and is told later, as the contract's interface `batch` has it: one list of numbers, which is in the
//! guest's memory what the call takes.
//!
//! The module is public, but hidden, for those who call the interfaces themselves.

use crate::bindings::uv::handles::batch::TimerNumber;
use crate::bindings::uv::handles::types::Token;

/// Something that was done. All times are milliseconds, and a repeat of 0 is none.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// Opens a closed timer.
    Open { timer: TimerNumber, token: Token },
    /// Opens a closed timer, and starts it.
    OpenAndStart { timer: TimerNumber, token: Token, timeout: u64, repeat: u64 },
    /// Starts an open timer.
    Start { timer: TimerNumber, timeout: u64, repeat: u64 },
    /// Stops a timer.
    Stop { timer: TimerNumber },
    /// Closes a timer.
    Close { timer: TimerNumber },
    /// Closes the handle whose callback it is.
    CloseOwn,
}

/// Such changes, in order.
#[derive(Debug, Default)]
pub struct Changes {
    numbers: Vec<u64>,
    /// Where the last one begins.
    last: usize,
}

const OPEN: u16 = 0;
const OPEN_AND_START: u16 = 1;
const START: u16 = 2;
const STOP: u16 = 3;
const CLOSE: u16 = 4;
const CLOSE_OWN: u16 = 5;

/// The first number of a change.
const fn head(operation: u16, position: u16, timer: TimerNumber) -> u64 {
    (operation as u64) << 48 | (position as u64) << 32 | timer as u64
}

impl Changes {
    /// How many numbers a change has at most.
    pub(crate) const MOST_OF_ONE: usize = 4;

    /// None.
    pub const fn new() -> Self {
        Self { numbers: Vec::new(), last: 0 }
    }

    /// What the contract takes.
    pub fn as_numbers(&self) -> &[u64] {
        &self.numbers
    }

    /// Adds what the callback at this position of its batch has done.
    // Whoever calls it knows what that is: nothing is left of the match.
    #[inline(always)]
    pub fn push(&mut self, position: u16, change: Change) {
        let last = self.numbers.len();
        match change {
            Change::Open { timer, token } => self.numbers.extend([head(OPEN, position, timer), token]),
            Change::OpenAndStart { timer, token, timeout, repeat } => {
                self.numbers.extend([head(OPEN_AND_START, position, timer), token, timeout, repeat]);
            }
            Change::Start { timer, timeout, repeat } => {
                // In one with what has opened it.
                if self.numbers.get(self.last) == Some(&head(OPEN, position, timer)) {
                    self.numbers[self.last] = head(OPEN_AND_START, position, timer);
                    self.numbers.extend([timeout, repeat]);
                    return;
                }
                self.numbers.extend([head(START, position, timer), timeout, repeat]);
            }
            Change::Stop { timer } => self.numbers.push(head(STOP, position, timer)),
            Change::Close { timer } => self.numbers.push(head(CLOSE, position, timer)),
            Change::CloseOwn => self.numbers.push(head(CLOSE_OWN, position, 0)),
        }
        self.last = last;
    }

    /// Whether the last one was done to this timer.
    pub(crate) fn last_is_of(&self, timer: TimerNumber) -> bool {
        let is_of = |head: u64| head as TimerNumber == timer && (head >> 48) as u16 != CLOSE_OWN;
        self.numbers.get(self.last).is_some_and(|&head| is_of(head))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// How many numbers there are.
    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        self.numbers.clear();
        self.last = 0;
    }
}

/// With the positions of the callbacks.
impl FromIterator<(u16, Change)> for Changes {
    fn from_iter<I: IntoIterator<Item = (u16, Change)>>(all: I) -> Self {
        let mut changes = Self::new();
        all.into_iter().for_each(|(position, change)| changes.push(position, change));
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::Change::{Close, CloseOwn, Open, OpenAndStart, Start, Stop};
    use super::{Change, Changes};

    fn numbers(all: &[(u16, Change)]) -> Vec<u64> {
        all.iter().copied().collect::<Changes>().as_numbers().to_vec()
    }

    #[test]
    fn each_change_is_its_head_and_what_it_needs() {
        let all = [
            (0, Open { timer: 7, token: 1 << 40 }),
            (0, Stop { timer: 7 }),
            (1, OpenAndStart { timer: 8, token: 9, timeout: 10, repeat: 11 }),
            (2, Start { timer: u32::MAX, timeout: 12, repeat: 0 }),
            (3, Close { timer: 8 }),
            (u16::MAX, CloseOwn),
        ];
        let expected = [
            &[7, 1 << 40][..],
            &[0x3_0000_0000_0007],
            &[0x1_0001_0000_0008, 9, 10, 11],
            &[0x2_0002_ffff_ffff, 12, 0],
            &[0x4_0003_0000_0008],
            &[0x5_ffff_0000_0000],
        ];
        assert_eq!(numbers(&all), expected.concat());
    }

    #[test]
    fn a_timer_that_was_just_opened_is_started_with_it() {
        let open = (1, Open { timer: 3, token: 9 });
        let start = |position, timer| (position, Start { timer, timeout: 5, repeat: 6 });
        let together = (1, OpenAndStart { timer: 3, token: 9, timeout: 5, repeat: 6 });
        assert_eq!(numbers(&[open, start(1, 3)]), numbers(&[together]));
        assert_eq!(numbers(&[open, start(1, 3), start(1, 3)]), numbers(&[together, start(1, 3)]));
        for apart in
            [&[open, start(2, 3)][..], &[open, start(1, 4)], &[open, (1, Stop { timer: 3 }), start(1, 3)]]
        {
            assert_eq!(numbers(apart).len(), apart.iter().map(|each| numbers(&[*each]).len()).sum());
        }
    }

    #[test]
    fn the_last_one_is_known() {
        let mut changes = Changes::new();
        assert!(!changes.last_is_of(0));
        changes.push(0, OpenAndStart { timer: 0, token: 2, timeout: 2, repeat: 2 });
        assert!(changes.last_is_of(0) && !changes.last_is_of(2));
        changes.push(0, CloseOwn);
        assert!(!changes.last_is_of(0), "whose it is has no number");
        changes.push(1, Close { timer: 1 });
        changes.clear();
        assert!(changes.is_empty() && !changes.last_is_of(1));
    }
}
