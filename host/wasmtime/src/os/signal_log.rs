//! The log of what was delivered: written by signal handlers on any thread, read by every guest from its
//! own position.

use crate::os::sync::{AtomicU64, Ordering};

/// The last `LENGTH` deliveries. Whoever falls further behind loses the oldest.
#[derive(Debug)]
pub(crate) struct SignalLog<const LENGTH: usize> {
    /// How many deliveries there have been.
    pub(crate) head: AtomicU64,
    /// In each entry the low byte is the signal, the rest counts the delivery, so that a reader
    /// recognises an entry which is not written yet. 0 to begin with.
    pub(crate) entries: [AtomicU64; LENGTH],
}

fn entry(at: u64, signum: i32) -> u64 {
    ((at + 1) << 8) | signum as u64
}

impl<const LENGTH: usize> SignalLog<LENGTH> {
    /// Where the log ends now. A reader that begins here sees later deliveries only.
    pub(crate) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// Appends a delivery. It may be called in a signal handler, and whoever is woken afterwards finds it.
    pub(crate) fn append(&self, signum: i32) {
        let at = self.head.fetch_add(1, Ordering::AcqRel);
        // A handler that was kept from running while the log went round must not write over what is newer:
        // readers would wait for that one for ever.
        self.entries[at as usize % LENGTH].fetch_max(entry(at, signum), Ordering::AcqRel);
    }

    /// Reports the deliveries from `position` on, in their order, and moves it on.
    pub(crate) fn read(&self, position: &mut u64, mut delivered: impl FnMut(i32)) {
        let head = self.head();
        *position = (*position).max(head.saturating_sub(LENGTH as u64));
        while *position < head {
            let found = self.entries[*position as usize % LENGTH].load(Ordering::Acquire);
            let signum = (found & 0xff) as i32;
            if found != entry(*position, signum) {
                // Its handler is still running on another thread, or it was written over since the head was
                // looked at. Whoever wrote there, or is about to, ends the next wait.
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
    fn a_reader_gets_each_delivery_in_order_and_loses_only_what_the_log_no_longer_holds() {
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
    fn a_handler_that_is_overtaken_by_the_whole_log_does_not_write_over_what_is_newer() {
        let log = log();
        let mut position = log.head();
        let begun = log.head.fetch_add(1, Ordering::AcqRel);
        (0..LENGTH).for_each(|_| log.append(2));
        // What `append` does last.
        log.entries[begun as usize].fetch_max(entry(begun, 1), Ordering::AcqRel);
        assert_eq!(read(&log, &mut position), [2; LENGTH]);
    }
}
