//! Without the feature `wasi`, no poll handle watches a pollable.

use crate::ctx::UvCtx;
use uv_handles_core::{HandleId, LoopId, SourceId};

pub(crate) fn is_pollable(_: SourceId) -> bool {
    false
}

impl UvCtx {
    pub(crate) fn pollable_changed(&mut self, _: HandleId) -> bool {
        false
    }

    pub(crate) fn drop_pollable_of(&mut self, _: HandleId) {}

    pub(crate) fn drop_closed_pollables(&mut self) {}

    #[inline(always)]
    pub(crate) fn poll_pollables(&mut self, _: LoopId) {}
}
