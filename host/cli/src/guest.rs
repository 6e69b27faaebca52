//! The data of a guest's store.

use crate::shared::network::Http;
use uv_handles_host::{MemoryLimit, UvCtx, UvCtxView, UvView};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// A guest's contexts.
pub struct Guest {
    pub uv: UvCtx,
    pub wasi: WasiCtx,
    pub http: WasiHttpCtx,
    pub http_hooks: Http,
    /// Looking names up is granted.
    pub name_lookup: bool,
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

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: self.uv.table(), hooks: &mut self.http_hooks }
    }
}
