//! A limit on the memory of a guest, for `Store::limiter`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use wasmtime::ResourceLimiter;

/// Counts all memories and tables of a guest together, and refuses what goes over the limit.
///
/// The guest sees a growth that fails. Most guests give up then, so a refusal is remembered:
/// [`MemoryUsage::was_refused`] tells why a guest trapped.
///
/// ```
/// use uv_handles_host::{MemoryLimit, MemoryUsage};
/// use wasmtime::{Engine, Store};
///
/// struct State {
///     memory: MemoryLimit,
/// }
///
/// let memory = MemoryLimit::new(64 << 20);
/// let usage: MemoryUsage = memory.usage();
/// let mut store = Store::new(&Engine::default(), State { memory });
/// store.limiter(|state| &mut state.memory);
/// // Also from other threads, while the guest runs:
/// assert_eq!((usage.bytes(), usage.was_refused()), (0, false));
/// ```
#[derive(Debug)]
pub struct MemoryLimit {
    limit: usize,
    usage: MemoryUsage,
}

/// The memory usage of a guest with a [`MemoryLimit`]. Clones show the same guest.
#[derive(Debug, Clone, Default)]
pub struct MemoryUsage(Arc<Usage>);

#[derive(Debug, Default)]
struct Usage {
    bytes: AtomicUsize,
    refused: AtomicBool,
}

impl MemoryLimit {
    /// A limit in bytes. With `usize::MAX` only wasm's own limits apply.
    pub fn new(bytes: usize) -> MemoryLimit {
        MemoryLimit { limit: bytes, usage: MemoryUsage::default() }
    }

    /// Returns a view of the usage, for other threads and for the time after the store is gone.
    pub fn usage(&self) -> MemoryUsage {
        self.usage.clone()
    }

    /// Counts a growth in units of `size` bytes, or refuses it. Growth beyond a maximum fails anyway,
    /// and is not counted.
    fn grow(&mut self, current: usize, desired: usize, maximum: Option<usize>, size: usize) -> bool {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return false;
        }
        let by = desired.saturating_sub(current).saturating_mul(size);
        let Usage { bytes, refused } = &*self.usage.0;
        match bytes.load(Ordering::Relaxed).checked_add(by) {
            Some(sum) if sum <= self.limit => {
                bytes.store(sum, Ordering::Relaxed);
                true
            }
            _ => {
                refused.store(true, Ordering::Relaxed);
                false
            }
        }
    }
}

impl MemoryUsage {
    /// Returns the bytes of all memories and tables.
    pub fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Returns whether the guest has asked for more than its limit.
    pub fn was_refused(&self) -> bool {
        self.0.refused.load(Ordering::Relaxed)
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, maximum, 1))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(self.grow(current, desired, maximum, size_of::<usize>()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_are_counted_together() {
        let mut limit = MemoryLimit::new(1_000);
        let usage = limit.usage();
        assert!(limit.memory_growing(0, 500, None).unwrap());
        assert!(limit.table_growing(10, 20, None).unwrap());
        assert!(limit.memory_growing(0, 420, None).unwrap());
        assert_eq!((usage.bytes(), usage.was_refused()), (1_000, false));
        assert!(!limit.memory_growing(500, 501, None).unwrap());
        assert_eq!((usage.bytes(), usage.was_refused()), (1_000, true));
    }

    #[test]
    fn growth_that_the_memory_itself_does_not_allow_is_not_counted() {
        let mut limit = MemoryLimit::new(1_000);
        assert!(!limit.memory_growing(0, 900, Some(800)).unwrap());
        assert!(!limit.table_growing(0, 20, Some(10)).unwrap());
        assert!(limit.memory_growing(0, 800, Some(800)).unwrap());
        assert!(!limit.usage().was_refused());
        assert!(MemoryLimit::new(usize::MAX).memory_growing(0, usize::MAX, None).unwrap());
    }
}
