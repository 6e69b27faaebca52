//! The engine: a configuration for hosts of many guests, and what ends a guest that spins.

use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

/// The configuration that this crate recommends for an engine that hosts so many guests at a time. Any other works
/// as well; this one is faster, and it lets guests be ended that spin. Change what does not suit you.
///
/// - **Concurrency off** ([`Config::concurrency_support`]): a call from a guest to the host costs a third. Leave
///   it on for components that use the component model's async functions, streams and futures.
/// - **Epochs on** ([`Config::epoch_interruption`]): a guest that never comes back to its loop can be ended and, in
///   tasks, lets others have their turn. Each store needs [`interrupt_by_epochs_sync`](crate::interrupt_by_epochs_sync) or
///   [`interrupt_by_epochs_async`](crate::interrupt_by_epochs_async), and the engine an [`EpochTicker`](crate::EpochTicker); a store without a deadline traps at once.
/// - **Pooled instances** ([`InstanceAllocationStrategy::Pooling`]): memory is reserved once, for components with
///   one memory each, and used again. To begin a guest when there is no room any more is an error. It is address space
///   that is reserved, about 4 GiB for each guest; memory that no guest has touched costs nothing.
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

/// The same for very many guests that need little memory: at most so many bytes for each, rounded up to a multiple of
/// 64 KiB. They stand side by side instead of 4 GiB apart:
///
/// - 6 KiB of the system's page tables are spared for each guest, and a processor that goes from guest to guest finds its
///   way to their memory sooner;
/// - the address space has room for many more; Linux's `vm.max_map_count` allows some ten thousand unless it is raised;
/// - each access to memory is checked, so a guest that computes takes longer;
/// - to grow beyond that is refused, as `memory.grow` does; a component whose memory is larger from the beginning is
///   refused by `Component::new`. A toolchain's usual stack alone takes 1 MiB.
///
/// An engine does not load what one of another configuration has compiled, nor with another memory.
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
    // The guard lets most accesses be checked by their address alone, whatever their offset.
    config.memory_reservation(memory).memory_guard_size(WASM_PAGE).guard_before_linear_memory(false);
    config
}

/// WebAssembly's page, in bytes.
const WASM_PAGE: u64 = 1 << 16;

/// As much as a memory with addresses of 32 bits has.
const LARGEST_MEMORY: u64 = 1 << 32;

fn pool(guests: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    // What a toolchain makes of one program: the program and the adapters beside it, with their tables.
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
