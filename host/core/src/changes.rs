//! What a guest has done and tells later, all in one list: the contract's interface `batch` says how it is written.

use crate::TimerChange;

/// Something that a callback has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Where the callback stands in its batch.
    pub position: u16,
    /// What it has done.
    pub what: Changed,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// To the timer with this number in the guest's reserve.
    Timer(u32, TimerChange),
    /// It has closed the handle whose callback it is.
    CloseOwn,
}

/// The changes of a list, in order. It ends where one is none, or lacks a number.
#[derive(Debug, Clone, Default)]
pub struct Changes<'a>(std::slice::Iter<'a, u64>);

impl<'a> Changes<'a> {
    /// Those that are written in these numbers.
    pub fn new(numbers: &'a [u64]) -> Changes<'a> {
        Changes(numbers.iter())
    }
}

impl Iterator for Changes<'_> {
    type Item = Change;

    #[inline]
    fn next(&mut self) -> Option<Change> {
        let mut number = || self.0.next().copied();
        let head = number()?;
        let change = match head >> 48 {
            0 => TimerChange::Open { token: number()? },
            1 => TimerChange::OpenAndStart { token: number()?, timeout: number()?, repeat: number()? },
            2 => TimerChange::Start { timeout: number()?, repeat: number()? },
            3 => TimerChange::Stop,
            4 => TimerChange::Close,
            5 => return Some(Change { position: position(head), what: Changed::CloseOwn }),
            // What it needs is not known, so neither is where the next one begins.
            _ => {
                *self = Changes::default();
                return None;
            }
        };
        Some(Change { position: position(head), what: Changed::Timer(head as u32, change) })
    }
}

fn position(head: u64) -> u16 {
    (head >> 32) as u16
}

#[cfg(test)]
mod tests {
    use super::Changed::{CloseOwn, Timer};
    use super::{Change, Changes};
    use crate::TimerChange::{Close, Open, OpenAndStart, Start, Stop};

    /// What an SDK writes for one of each.
    const NUMBERS: [u64; 13] = [
        0x0_0000_0000_0007,
        1 << 40,
        0x3_0000_0000_0007,
        0x1_0001_0000_0008,
        9,
        10,
        11,
        0x2_0002_ffff_ffff,
        12,
        0,
        0x4_0003_0000_0008,
        0x5_ffff_0000_0000,
        0x3_0000_0000_0001,
    ];

    #[test]
    fn each_change_is_read_with_what_it_needs() {
        let expected = [
            (0, Timer(7, Open { token: 1 << 40 })),
            (0, Timer(7, Stop)),
            (1, Timer(8, OpenAndStart { token: 9, timeout: 10, repeat: 11 })),
            (2, Timer(u32::MAX, Start { timeout: 12, repeat: 0 })),
            (3, Timer(8, Close)),
            (u16::MAX, CloseOwn),
            (0, Timer(1, Stop)),
        ];
        let expected = expected.map(|(position, what)| Change { position, what });
        assert_eq!(Changes::new(&NUMBERS).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_can_not_be_read_ends_the_list() {
        let count = |numbers: &[u64]| Changes::new(numbers).count();
        // Where each change begins; up to there everything is as before.
        for (whole, begins) in [0, 2, 3, 7, 10, 11, 12].into_iter().enumerate() {
            let mut numbers = NUMBERS;
            for unknown in [6, 7, 255, u16::MAX] {
                numbers[begins] = u64::from(unknown) << 48;
                let mut changes = Changes::new(&numbers);
                assert_eq!(changes.by_ref().count(), whole);
                assert_eq!(changes.next(), None);
            }
        }
        assert_eq!(
            [0, 1, 2, 3, 4, 6, 7, 9, 10].map(|many| count(&NUMBERS[..many])),
            [0, 0, 1, 2, 2, 2, 3, 3, 4]
        );
    }
}
