//! Fetches the state of plugins that have been idle for long.

use crate::ctx::UvCtx;

/// The number of plugins to fetch before the first of them is visited. Their state fits into the
/// fastest cache.
pub(super) const GROUP: usize = 8;

impl UvCtx {
    /// Reads what a visit reads first, a word of each cache line. The result has no meaning. See
    /// [`Loops::warm`](uv_handles_core::Loops::warm).
    pub(super) fn warm(&self) -> u64 {
        let flags = [
            self.interrupt.is_interrupted(),
            self.turn.is_over(),
            self.pollers.signals_are_watched,
            self.async_handles.sent(),
            self.signals.caught != 0,
        ];
        flags.into_iter().fold(self.loops.warm(), |sum, flag| sum ^ u64::from(flag))
    }
}
