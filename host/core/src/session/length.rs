//! The lengths of a session's lookaheads.
//!
//! They follow how the guest has used the ones before.

/// The length of the longest batch.
const LONGEST: u32 = 256;

/// The length of the shortest batch. Fewer callbacks are delivered one at a time, because a list
/// costs as much as some calls.
pub(super) const LEAST: usize = 3;

/// The length of the first lookahead of each kind.
const FIRST: u32 = 32;

/// The longest pause between lookaheads. During a pause callbacks are delivered one at a time. A
/// pause follows a lookahead that was void from its beginning.
const LONGEST_PAUSE: u32 = 255;

/// The length of the next lookahead of one kind of callbacks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    longest: u32,
    /// The number of callbacks delivered one at a time before the next lookahead.
    pause: u32,
    last_pause: u32,
}

impl Length {
    pub(super) const FIRST: Length = Length { longest: FIRST, pause: 0, last_pause: 0 };

    /// Returns how many callbacks the next delivery may hold.
    pub(super) fn next(&mut self) -> u32 {
        match self.pause.checked_sub(1) {
            None => self.longest,
            Some(left) => {
                self.pause = left;
                1
            }
        }
    }

    /// Records a lookahead whose callbacks were all called.
    pub(super) fn record_used(&mut self) {
        self.longest = (self.longest * 2).min(LONGEST);
        self.last_pause = 0;
    }

    /// Records a lookahead that was void after so many callbacks.
    pub(super) fn record_void_after(&mut self, called: usize) {
        self.longest = (called as u32 * 2).clamp(LEAST as u32, LONGEST);
        if called < LEAST {
            self.last_pause = (self.last_pause * 2 + 1).min(LONGEST_PAUSE);
            self.pause = self.last_pause;
        }
    }
}
