//! The log of signal deliveries: how many there were of each signal, and the order of the last.
//!
//! Signal handlers write it on any thread. Every guest reads it from its own position. The counts
//! are exact, so no delivery is lost however far a reader falls behind.

use crate::os::sync::{AtomicU64, Ordering};

/// The deliveries of the signals below `SIGNALS`, and the order of the last `LENGTH`.
#[derive(Debug)]
pub(crate) struct SignalLog<const SIGNALS: usize, const LENGTH: usize> {
    /// The number of deliveries of each signal so far.
    pub(crate) counts: [AtomicU64; SIGNALS],
    /// The number of deliveries so far. It increases after the signal's count.
    pub(crate) head: AtomicU64,
    /// The order of deliveries. The low byte of an entry is the signal. The rest is the number of
    /// the delivery, so that a reader recognizes an entry that is not written yet. Initially 0.
    pub(crate) entries: [AtomicU64; LENGTH],
}

/// A guest's position in the log.
#[derive(Debug, Default)]
pub(crate) struct Position {
    head: u64,
    /// The number of deliveries that were read or are not meant for the guest, by signal. Empty
    /// until the guest catches a signal, because there may be many guests.
    seen: Vec<u64>,
}

fn entry(at: u64, signum: i32) -> u64 {
    ((at + 1) << 8) | signum as u64
}

impl<const SIGNALS: usize, const LENGTH: usize> SignalLog<SIGNALS, LENGTH> {
    /// Appends a delivery. It is async-signal-safe, and a reader that is woken afterwards sees the
    /// delivery.
    pub(crate) fn append(&self, signum: i32) {
        self.counts[signum as usize].fetch_add(1, Ordering::AcqRel);
        let at = self.head.fetch_add(1, Ordering::AcqRel);
        // A handler that was suspended while the log wrapped around must not overwrite a newer
        // entry.
        self.entries[at as usize % LENGTH].fetch_max(entry(at, signum), Ordering::AcqRel);
    }

    /// Moves a reader that has no signals to the end of the log.
    pub(crate) fn skip(&self, position: &mut Position) {
        position.head = self.head.load(Ordering::Acquire);
    }

    /// Makes a reader see the deliveries of this signal from now on.
    pub(crate) fn begin(&self, position: &mut Position, signum: i32) {
        if position.seen.is_empty() {
            position.seen = vec![0; SIGNALS];
        }
        position.seen[signum as usize] = self.counts[signum as usize].load(Ordering::Acquire);
    }

    /// Returns whether there are deliveries that the reader has not read, of any signal.
    #[inline]
    pub(crate) fn has_more(&self, position: &Position) -> bool {
        self.head.load(Ordering::Acquire) != position.head
    }

    /// Returns the deliveries of these signals since the last call, and advances the position:
    /// signals, and how often each was delivered in a row. The signals must have been begun.
    ///
    /// The order is that of the deliveries, as far as the log holds it. Where several threads run
    /// handlers at the same time, and for deliveries that the log no longer holds, only the counts
    /// are certain.
    pub(crate) fn read(
        &self,
        position: &mut Position,
        signums: impl Iterator<Item = i32> + Clone,
    ) -> Vec<(i32, u64)> {
        // The counts include every delivery before the head. If the head has not moved meanwhile,
        // they include none without those that the same thread has handled before it.
        let (head, counts) = loop {
            let head = self.head.load(Ordering::Acquire);
            let mut counts = [0; SIGNALS];
            for signum in signums.clone() {
                counts[signum as usize] = self.counts[signum as usize].load(Ordering::Acquire);
            }
            if self.head.load(Ordering::Acquire) == head {
                break (head, counts);
            }
        };
        let mut due = [0; SIGNALS];
        for signum in signums.clone() {
            let at = signum as usize;
            due[at] = counts[at].wrapping_sub(std::mem::replace(&mut position.seen[at], counts[at]));
        }
        let begin = std::mem::replace(&mut position.head, head);
        let mut deliveries: Vec<(i32, u64)> = Vec::new();
        let mut push = |signum: i32, count: u64| match deliveries.last_mut() {
            Some((last, total)) if *last == signum => *total += count,
            _ => deliveries.push((signum, count)),
        };
        if head - begin <= LENGTH as u64 {
            for at in begin..head {
                let found = self.entries[at as usize % LENGTH].load(Ordering::Acquire);
                let signum = (found & 0xff) as usize;
                // A delivery whose entry is not there yet, or was overwritten, is counted below.
                if found == entry(at, signum as i32) && due[signum] > 0 {
                    due[signum] -= 1;
                    push(signum as i32, 1);
                }
            }
        }
        signums
            .filter(|&signum| due[signum as usize] > 0)
            .for_each(|signum| push(signum, due[signum as usize]));
        deliveries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNALS: usize = 16;
    const LENGTH: usize = 16;
    type Log = SignalLog<SIGNALS, LENGTH>;

    fn log() -> Log {
        SignalLog {
            counts: [const { AtomicU64::new(0) }; SIGNALS],
            head: AtomicU64::new(0),
            entries: [const { AtomicU64::new(0) }; LENGTH],
        }
    }

    /// The position of a reader of these signals.
    fn reader(log: &Log, signums: &[i32]) -> Position {
        let mut position = Position::default();
        log.skip(&mut position);
        signums.iter().for_each(|&signum| log.begin(&mut position, signum));
        position
    }

    fn read(log: &Log, position: &mut Position, signums: &[i32]) -> Vec<(i32, u64)> {
        let deliveries = log.read(position, signums.iter().copied());
        assert!(!log.has_more(position));
        deliveries
    }

    #[test]
    fn a_reader_gets_each_delivery_of_its_signals_in_order() {
        let log = log();
        log.append(10);
        let mut position = reader(&log, &[10, 12]);
        [10, 12, 12, 1, 10].into_iter().for_each(|signum| log.append(signum));
        assert_eq!(read(&log, &mut position, &[10, 12]), [(10, 1), (12, 2), (10, 1)]);
        assert_eq!(read(&log, &mut position, &[10, 12]), []);
        // Signals from before `begin` are not for this reader.
        log.begin(&mut position, 1);
        log.append(1);
        assert_eq!(read(&log, &mut position, &[1, 10, 12]), [(1, 1)]);
    }

    #[test]
    fn a_reader_that_falls_behind_loses_the_order_and_no_delivery() {
        let log = log();
        let mut position = reader(&log, &[1, 2, 15]);
        log.append(15);
        (0..LENGTH * 1000).for_each(|_| log.append(2));
        assert_eq!(read(&log, &mut position, &[1, 2, 15]), [(2, LENGTH as u64 * 1000), (15, 1)]);
        log.append(1);
        assert_eq!(read(&log, &mut position, &[1, 2, 15]), [(1, 1)]);
    }

    #[test]
    fn a_delivery_whose_entry_is_not_written_yet_counts() {
        let log = log();
        let mut position = reader(&log, &[1, 2]);
        // The first two operations of `append`.
        log.counts[1].fetch_add(1, Ordering::AcqRel);
        let begun = log.head.fetch_add(1, Ordering::AcqRel);
        log.append(2);
        assert_eq!(read(&log, &mut position, &[1, 2]), [(2, 1), (1, 1)]);
        // The last one changes nothing, also when the log has wrapped around.
        (0..LENGTH).for_each(|_| log.append(2));
        log.entries[begun as usize].fetch_max(entry(begun, 1), Ordering::AcqRel);
        assert_eq!(read(&log, &mut position, &[1, 2]), [(2, LENGTH as u64)]);
    }

    #[test]
    fn a_delivery_between_the_count_and_the_head_is_read_once() {
        let log = log();
        let mut position = reader(&log, &[1, 2]);
        log.counts[1].fetch_add(1, Ordering::AcqRel);
        log.append(2);
        assert_eq!(read(&log, &mut position, &[1, 2]), [(2, 1), (1, 1)]);
        let at = log.head.fetch_add(1, Ordering::AcqRel);
        log.entries[at as usize].fetch_max(entry(at, 1), Ordering::AcqRel);
        assert!(log.has_more(&position));
        assert_eq!(read(&log, &mut position, &[1, 2]), []);
    }
}
