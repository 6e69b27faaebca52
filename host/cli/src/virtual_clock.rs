//! WASI's monotonic clock in virtual time.

use uv_handles_host::VirtualClock;
use wasmtime_wasi::HostMonotonicClock;

/// The same time as the loops' clock.
pub struct VirtualMonotonicClock(pub VirtualClock);

impl HostMonotonicClock for VirtualMonotonicClock {
    /// asyncio, for one, takes times that are closer than this for the same.
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        self.0.now().saturating_mul(1_000_000)
    }
}
