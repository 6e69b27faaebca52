//! The data in the store of a plugin.

use crate::grants::{Granted, Grants};
use crate::shared::network::Http;
use uv_handles_host::supervisor::{PluginState, Seat};
use uv_handles_host::{MemoryLimit, UvCtx, UvCtxView, UvView};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// A plugin's contexts.
pub struct Guest {
    uv: UvCtx,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    http_hooks: Http,
    memory: MemoryLimit,
    /// The grants that others need to know once the plugin has started.
    pub granted: Granted,
}

impl Guest {
    /// With these grants, and nothing else of WASI but clocks, random numbers and the log.
    pub fn new(seat: Seat, uv: UvCtx, grants: Grants) -> Guest {
        let mut wasi = WasiCtx::builder();
        grants.sockets.grant(&mut wasi, grants.http.on_denied.clone());
        wasi.allow_ip_name_lookup(grants.name_lookup);
        wasi.stdout(seat.stdout()).stderr(seat.stderr());
        let Grants { http: http_hooks, granted, .. } = grants;
        Guest { uv, wasi: wasi.build(), http: WasiHttpCtx::new(), http_hooks, memory: seat.memory, granted }
    }
}

impl PluginState for Guest {
    fn memory(&mut self) -> &mut MemoryLimit {
        &mut self.memory
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

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: self.uv.table(), hooks: &mut self.http_hooks }
    }
}
