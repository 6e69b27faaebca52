//! The data in the store of a plugin, and the limit of its memory.

use crate::output::{Output, Stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use uv_handles_host::{UvCtx, UvCtxView, UvView};
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// A plugin's contexts.
pub struct Guest {
    uv: UvCtx,
    wasi: WasiCtx,
    table: ResourceTable,
    pub memory: MemoryLimit,
}

impl Guest {
    /// With these grants, and nothing of WASI but clocks, random numbers and the log.
    pub fn new(uv: UvCtx, output: &Arc<Output>, memory: MemoryLimit) -> Guest {
        let mut wasi = WasiCtx::builder();
        wasi.stdout(Stream::out(output.clone())).stderr(Stream::err(output.clone()));
        Guest { uv, wasi: wasi.build(), table: ResourceTable::new(), memory }
    }
}

impl UvView for Guest {
    fn uv(&mut self) -> UvCtxView<'_> {
        UvCtxView { ctx: &mut self.uv }
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// The memory usage of a plugin, which its status shows.
#[derive(Debug, Default)]
pub struct Memory {
    used: AtomicUsize,
    refused: AtomicBool,
}

impl Memory {
    /// Bytes of memories and tables.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether it has requested more than its limit.
    pub fn was_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

/// Counts the memories and tables of a plugin together, and refuses what goes over the limit. The plugin sees
/// a growth that fails; most give up then.
#[derive(Debug)]
pub struct MemoryLimit {
    limit: usize,
    memory: Arc<Memory>,
}

impl MemoryLimit {
    pub fn new(limit: usize, memory: &Arc<Memory>) -> MemoryLimit {
        MemoryLimit { limit, memory: memory.clone() }
    }

    fn grow(&mut self, by: usize) -> bool {
        match self.memory.used().checked_add(by) {
            Some(used) if used <= self.limit => {
                self.memory.used.store(used, Ordering::Relaxed);
                true
            }
            _ => {
                self.memory.refused.store(true, Ordering::Relaxed);
                false
            }
        }
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // Beyond the memory's own maximum it fails anyway, and is not to be counted.
        let possible = maximum.is_none_or(|maximum| desired <= maximum);
        Ok(possible && self.grow(desired.saturating_sub(current)))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let possible = maximum.is_none_or(|maximum| desired <= maximum);
        let elements = desired.saturating_sub(current);
        Ok(possible && self.grow(elements.saturating_mul(size_of::<usize>())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_are_counted_together() {
        let memory = Arc::new(Memory::default());
        let mut limit = MemoryLimit::new(1_000, &memory);
        assert!(limit.memory_growing(0, 500, None).unwrap());
        assert!(limit.table_growing(10, 20, None).unwrap());
        assert!(!limit.memory_growing(0, 900, Some(800)).unwrap(), "its own maximum");
        assert!(limit.memory_growing(500, 920, None).unwrap());
        assert_eq!((memory.used(), memory.was_refused()), (1_000, false));
        assert!(!limit.memory_growing(920, 921, None).unwrap());
        assert_eq!((memory.used(), memory.was_refused()), (1_000, true));
    }
}
