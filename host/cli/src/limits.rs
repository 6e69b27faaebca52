//! The limit on a guest's memory.

use wasmtime::ResourceLimiter;

/// Counts the memories and tables of a guest together, and refuses what goes over the limit. The
/// guest sees a growth that fails; most give up then, so a refusal is remembered for the report.
#[derive(Debug)]
pub struct MemoryLimit {
    limit: usize,
    used: usize,
    refused: bool,
}

impl MemoryLimit {
    /// A limit in bytes. Without one, only wasm's own limit applies.
    pub fn new(limit: Option<u64>) -> MemoryLimit {
        let limit = limit.map_or(usize::MAX, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        MemoryLimit { limit, used: 0, refused: false }
    }

    /// Whether the guest has asked for more than the limit.
    pub fn was_reached(&self) -> bool {
        self.refused
    }

    fn grow(&mut self, by: usize) -> bool {
        match self.used.checked_add(by) {
            Some(used) if used <= self.limit => {
                self.used = used;
                true
            }
            _ => {
                self.refused = true;
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
        // Growth beyond the memory's own maximum fails anyway, and is not counted.
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
        let mut limit = MemoryLimit::new(Some(1000));
        assert!(limit.memory_growing(0, 500, None).unwrap());
        assert!(limit.table_growing(10, 20, None).unwrap());
        assert!(limit.memory_growing(0, 420, None).unwrap());
        assert!(!limit.was_reached());
        assert!(!limit.memory_growing(500, 501, None).unwrap());
        assert!(limit.was_reached());
    }

    #[test]
    fn a_growth_that_the_memory_itself_does_not_allow_is_not_counted() {
        let mut limit = MemoryLimit::new(Some(1000));
        assert!(!limit.memory_growing(0, 900, Some(800)).unwrap());
        assert!(limit.memory_growing(0, 800, Some(800)).unwrap());
        assert!(!limit.was_reached());
        assert!(MemoryLimit::new(None).memory_growing(0, usize::MAX, None).unwrap());
    }
}
