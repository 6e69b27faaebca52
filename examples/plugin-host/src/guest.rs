//! The data in the store of a plugin.

use crate::grants::Network;
use crate::network::Http;
use crate::output::{Output, Stream};
use std::sync::Arc;
use uv_handles_host::{MemoryLimit, UvCtx, UvCtxView, UvView};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

/// A plugin's contexts.
pub struct Guest {
    uv: UvCtx,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    http_hooks: Http,
    pub memory: MemoryLimit,
}

impl Guest {
    /// With these grants, and nothing else of WASI but clocks, random numbers and the log.
    pub fn new(uv: UvCtx, network: Network, output: &Arc<Output>, memory: MemoryLimit) -> Guest {
        let mut wasi = WasiCtx::builder();
        let Network { sockets, name_lookup, http } = network;
        sockets.grant(&mut wasi, http.on_denied.clone());
        wasi.allow_ip_name_lookup(name_lookup);
        wasi.stdout(Stream::out(output.clone())).stderr(Stream::err(output.clone()));
        Guest { uv, wasi: wasi.build(), http: WasiHttpCtx::new(), http_hooks: http, memory }
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
