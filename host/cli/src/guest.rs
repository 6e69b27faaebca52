//! The data of a guest's store.

use uv_handles_host::{MemoryLimit, UvCtx, UvCtxView, UvView};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// A guest's contexts.
pub struct Guest {
    pub uv: UvCtx,
    pub wasi: WasiCtx,
    pub memory: MemoryLimit,
}

impl UvView for Guest {
    fn uv(&mut self) -> UvCtxView<'_> {
        UvCtxView { ctx: &mut self.uv }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: self.uv.table() }
    }
}
