//! The data in the store of a plugin.

use crate::output::{Output, Stream};
use std::sync::Arc;
use uv_handles_host::{MemoryLimit, UvCtx, UvCtxView, UvView};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// A plugin's contexts.
pub struct Guest {
    uv: UvCtx,
    wasi: WasiCtx,
    pub memory: MemoryLimit,
}

impl Guest {
    /// With these grants, and nothing of WASI but clocks, random numbers and the log.
    pub fn new(uv: UvCtx, output: &Arc<Output>, memory: MemoryLimit) -> Guest {
        let mut wasi = WasiCtx::builder();
        wasi.stdout(Stream::out(output.clone())).stderr(Stream::err(output.clone()));
        Guest { uv, wasi: wasi.build(), memory }
    }
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
