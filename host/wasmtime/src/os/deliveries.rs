//! The signals that were delivered to this process, for all guests.

use crate::os::signal_log::{Position, SignalLog};
use std::sync::atomic::AtomicU64;

/// One more than the largest signal number of Linux.
pub(super) const SIGNALS: usize = 65;

/// The number of deliveries of which the log has the order, the same as in libuv's signal pipe.
const LENGTH: usize = 1 << 12;

pub(super) static LOG: SignalLog<SIGNALS, LENGTH> = SignalLog {
    counts: [const { AtomicU64::new(0) }; SIGNALS],
    head: AtomicU64::new(0),
    entries: [const { AtomicU64::new(0) }; LENGTH],
};

/// Moves a reader that has no signals to the end of the log.
pub(crate) fn skip(position: &mut Position) {
    LOG.skip(position);
}

/// Makes a reader see the deliveries of this signal from now on.
pub(crate) fn begin(position: &mut Position, signum: i32) {
    LOG.begin(position, signum);
}

/// Returns whether there are deliveries that the reader has not read, of any signal.
#[inline]
pub(crate) fn has_more(position: &Position) -> bool {
    LOG.has_more(position)
}

/// Returns the deliveries of these signals since the last call, as [`SignalLog::read`].
pub(crate) fn read(position: &mut Position, signums: impl Iterator<Item = i32> + Clone) -> Vec<(i32, u64)> {
    LOG.read(position, signums)
}
