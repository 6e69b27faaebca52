//! The log of signal deliveries.
//!
//! Signal handlers write it on any thread. Every guest reads it from its own position.

use crate::os::sync::{AtomicU64, Ordering};

/// The last `LENGTH` deliveries. A reader that falls further behind loses the oldest.
#[derive(Debug)]
pub(crate) struct SignalLog<const LENGTH: usize> {
    /// The number of deliveries so far.
    pub(crate) head: AtomicU64,
    /// The low byte of an entry is the signal. The rest is the number of the delivery, so that a
    /// reader recognizes an entry that is not written yet. Initially 0.
    pub(crate) entries: [AtomicU64; LENGTH],
}

fn entry(at: u64, signum: i32) -> u64 {
    ((at + 1) << 8) | signum as u64
}

impl<const LENGTH: usize> SignalLog<LENGTH> {
    /// Returns the end of the log. A reader that starts here sees later deliveries only.
    pub(crate) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// Appends a delivery. It is async-signal-safe, and a reader that is woken afterwards sees the
    /// entry.
    pub(crate) fn append(&self, signum: i32) {
        let at = self.head.fetch_add(1, Ordering::AcqRel);
        // A handler that was suspended while the log wrapped around must not overwrite a newer
        // entry, because readers would wait for that entry forever.
        self.entries[at as usize % LENGTH].fetch_max(entry(at, signum), Ordering::AcqRel);
    }

    /// Reports the deliveries from `position` on in order, and advances `position`.
    pub(crate) fn read(&self, position: &mut u64, mut delivered: impl FnMut(i32)) {
        let head = self.head();
        *position = (*position).max(head.saturating_sub(LENGTH as u64));
        while *position < head {
            let found = self.entries[*position as usize % LENGTH].load(Ordering::Acquire);
            let signum = (found & 0xff) as i32;
            if found != entry(*position, signum) {
                // The handler of this entry is still running on another thread, or the entry was
                // overwritten after the head was read. The writer ends the next wait.
                return;
            }
            delivered(signum);
            *position += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: usize = 16;

    fn log() -> SignalLog<LENGTH> {
        SignalLog { head: AtomicU64::new(0), entries: [const { AtomicU64::new(0) }; LENGTH] }
    }

    fn read(log: &SignalLog<LENGTH>, position: &mut u64) -> Vec<i32> {
        let mut seen = Vec::new();
        log.read(position, |signum| seen.push(signum));
        seen
    }

    #[test]
    fn a_reader_gets_each_delivery_in_order_and_loses_only_overwritten_ones() {
        let log = log();
        let (mut position, mut late) = (log.head(), log.head());
        [10, 12, 10].into_iter().for_each(|signum| log.append(signum));
        assert_eq!(read(&log, &mut position), [10, 12, 10]);
        assert!(read(&log, &mut position).is_empty());

        (0..LENGTH).for_each(|_| log.append(1));
        assert_eq!(read(&log, &mut late), [1; LENGTH]);
        assert_eq!(late, log.head());
    }

    #[test]
    fn a_reader_waits_for_an_entry_that_is_not_written_yet() {
        let log = log();
        let mut position = log.head();
        let begun = log.head.fetch_add(1, Ordering::AcqRel);
        log.append(2);
        assert!(read(&log, &mut position).is_empty());
        log.entries[begun as usize].store(entry(begun, 1), Ordering::Release);
        assert_eq!(read(&log, &mut position), [1, 2]);
    }

    #[test]
    fn a_handler_overtaken_by_the_whole_log_does_not_overwrite_newer_entries() {
        let log = log();
        let mut position = log.head();
        let begun = log.head.fetch_add(1, Ordering::AcqRel);
        (0..LENGTH).for_each(|_| log.append(2));
        // This is the last operation of `append`.
        log.entries[begun as usize].fetch_max(entry(begun, 1), Ordering::AcqRel);
        assert_eq!(read(&log, &mut position), [2; LENGTH]);
    }
}
