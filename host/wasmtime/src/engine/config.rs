//! Engine configurations for hosts of many guests.

use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Returns the recommended configuration for an engine that runs up to `guests` guests at a time.
///
/// Other configurations work as well. This one is faster, and it allows the host to end guests that
/// spin. Override any setting as needed.
///
/// - **Concurrency off** ([`Config::concurrency_support`]): a call from a guest to the host costs a
///   third of what it costs with it. Leave it on for components that use the component model's
///   async functions, streams and futures.
/// - **Epochs on** ([`Config::epoch_interruption`]): a guest that does not return to its loop can
///   be interrupted, and yields to other tasks. Each store needs
///   [`interrupt_by_epochs_sync`](crate::interrupt_by_epochs_sync) or
///   [`interrupt_by_epochs_async`](crate::interrupt_by_epochs_async), and the engine needs an
///   [`EpochTicker`](crate::EpochTicker). A store without a deadline traps at once.
/// - **Pooled instances** ([`InstanceAllocationStrategy::Pooling`]): memory is reserved once, for
///   components with one memory each, and reused. Instantiation fails when the pool is exhausted.
///   The reservation is address space, about 4 GiB per guest; untouched memory costs nothing.
///
/// ```
/// use uv_handles_host::{EpochTicker, engine_config};
/// use wasmtime::Engine;
///
/// let engine = Engine::new(&engine_config(100))?;
/// let ticker = EpochTicker::start(&engine, std::time::Duration::from_millis(10))?;
/// # drop(ticker);
/// # Ok::<(), wasmtime::Error>(())
/// ```
pub fn engine_config(guests: u32) -> Config {
    config_with(pool(guests))
}

/// Returns a configuration for very many guests with little memory.
///
/// As [`engine_config`], with at most `memory` bytes for each guest, rounded up to a multiple of 64
/// KiB. Memories are adjacent instead of 4 GiB apart:
///
/// - Each guest needs 6 KiB less of page tables, and switching between guests causes fewer misses
///   in the translation of addresses.
/// - The address space has room for many more guests. Linux's `vm.max_map_count` allows some ten
///   thousand unless it is raised.
/// - Each memory access is checked, so a guest that computes takes longer.
/// - `memory.grow` beyond the limit fails. `Component::new` refuses a component whose initial
///   memory is larger. A toolchain's default stack alone takes 1 MiB.
///
/// An engine cannot load a component compiled with another configuration or another `memory`.
///
/// ```
/// use uv_handles_host::dense_engine_config;
/// use wasmtime::Engine;
///
/// // Ten thousand guests of at most 2 MiB.
/// let engine = Engine::new(&dense_engine_config(10_000, 2 << 20))?;
/// # Ok::<(), wasmtime::Error>(())
/// ```
pub fn dense_engine_config(guests: u32, memory: u64) -> Config {
    let memory = memory.clamp(1, LARGEST_MEMORY).next_multiple_of(WASM_PAGE);
    let mut pool = pool(guests);
    pool.max_memory_size(usize::try_from(memory).unwrap_or(usize::MAX));
    let mut config = config_with(pool);
    // With a guard page, most accesses are checked by the address alone, whatever their offset.
    config.memory_reservation(memory).memory_guard_size(WASM_PAGE).guard_before_linear_memory(false);
    config
}

/// The size of a WebAssembly page in bytes.
const WASM_PAGE: u64 = 1 << 16;

/// The size of the largest memory with 32-bit addresses.
const LARGEST_MEMORY: u64 = 1 << 32;

fn pool(guests: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    // A toolchain makes several core instances of one program: the program and its adapters, with
    // their tables.
    let adapters = 4;
    pool.total_component_instances(guests)
        .total_core_instances(guests.saturating_mul(adapters))
        .total_tables(guests.saturating_mul(adapters))
        .total_memories(guests);
    #[cfg(feature = "async")]
    pool.total_stacks(guests);
    pool
}

fn config_with(pool: PoolingAllocationConfig) -> Config {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .epoch_interruption(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}
