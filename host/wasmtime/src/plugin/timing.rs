//! Measures and limits the callbacks of a plugin.

use super::stats::Counters;
use crate::ctx::UvCtx;
use std::time::Instant;
use tracing::Span;

/// Begins a callback.
pub(super) fn begin_callback(ctx: &mut UvCtx) -> Instant {
    let now = Instant::now();
    if let Some(watch) = &mut ctx.watch {
        watch.begin_callback(now);
    }
    now
}

/// Ends a callback that has returned.
pub(super) fn end_callback(ctx: &mut UvCtx, counters: &Counters, begun: Instant) {
    let took = begun.elapsed();
    counters.returned(took);
    if let Some(watch) = &mut ctx.watch {
        watch.end_callback(took);
    }
}

/// Returns the span of a plugin, in which its callbacks and exports are called.
pub(super) fn plugin_span(ctx: &UvCtx) -> Span {
    match ctx.watch.as_ref().and_then(|watch| watch.name.as_deref()) {
        Some(name) => tracing::info_span!("plugin", name),
        None => Span::none(),
    }
}

impl UvCtx {
    /// Returns the number of open handles on all loops.
    pub(crate) fn open_handles(&self) -> usize {
        self.open_loops().map(|id| self.loops.open_handles(id)).sum()
    }
}
