//! The engine: a configuration for hosts of many guests, and what ends a guest that spins.

use crate::{Interrupted, UvView};
use wasmtime::{
    Config, InstanceAllocationStrategy, PoolingAllocationConfig, Store, StoreContextMut, UpdateDeadline,
};

/// The configuration that this crate recommends for an engine that hosts so many guests at a time. Any other works
/// as well; this one is faster, and it lets guests be ended that spin. Change what does not suit you.
///
/// - **Concurrency off** ([`Config::concurrency_support`]): a call from a guest to the host costs a third. Leave
///   it on for components that use the component model's async functions, streams and futures.
/// - **Epochs on** ([`Config::epoch_interruption`]): a guest that never comes back to its loop can be ended and, in
///   tasks, lets others have their turn. Each store needs [`interrupt_by_epochs_sync`] or
///   [`interrupt_by_epochs_async`], and the engine an [`EpochTicker`](crate::EpochTicker); a store without a deadline traps at once.
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

/// Lets a guest that is called synchronously be interrupted also while it computes: at each tick of its engine's
/// epoch its [`InterruptHandle`](crate::InterruptHandle) is looked at. To be called before the guest is
/// instantiated. Without [`Config::epoch_interruption`] it does nothing.
///
/// A deadline that is set afterwards counts until it has passed, also one that is set for a plugin, by whoever has its
/// store in his hands ([`Plugin::store`](crate::Plugin::store), [`PluginSet::store`](crate::PluginSet::store)). One that a
/// host function sets counts until the plugin's callback has returned.
pub fn interrupt_by_epochs_sync<T: UvView + 'static>(store: &mut Store<T>) {
    interrupt_by_epochs(store, || UpdateDeadline::Continue(EPOCHS));
}

/// Lets a guest that is called in a task be interrupted also while it computes, as [`interrupt_by_epochs_sync`];
/// and at each tick of the epoch other tasks have a turn.
#[cfg(feature = "async")]
pub fn interrupt_by_epochs_async<T: UvView + 'static>(store: &mut Store<T>) {
    interrupt_by_epochs(store, || UpdateDeadline::YieldCustom(EPOCHS, Box::pin(tokio::task::yield_now())));
}

/// After how many ticks of the epoch a guest that computes is looked at.
const EPOCHS: u64 = 1;

fn interrupt_by_epochs<T: UvView + 'static>(
    store: &mut Store<T>,
    go_on: impl Fn() -> UpdateDeadline + Send + Sync + 'static,
) {
    store.set_epoch_deadline(EPOCHS);
    store.epoch_deadline_callback(move |mut store: StoreContextMut<'_, T>| {
        let ctx = store.data_mut().uv().ctx;
        if ctx.interrupt.is_interrupted() {
            return Err(Interrupted.into());
        }
        if ctx.epochs == EpochDeadline::Unknown {
            ctx.epochs = EpochDeadline::Ours;
        }
        Ok(go_on())
    });
}

/// Whose the epoch deadline of a store is, as far as its guest's context can know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum EpochDeadline {
    /// Perhaps the embedder's.
    #[default]
    Unknown,
    /// The embedder has the store, or has had it since a plugin was called back last: he may set one.
    Lent,
    /// The one of `interrupt_by_epochs_sync` or `_async`: it has passed, and nobody had the store since.
    Ours,
}

/// To be called before a plugin is called back: the ticks since its last call were not its own. They would be looked at as
/// soon as it begins, which costs more than to set them aside.
pub(crate) fn begin_epochs<T: UvView>(store: &mut Store<T>) {
    let ctx = store.data_mut().uv().ctx;
    match ctx.epochs {
        EpochDeadline::Unknown => {}
        EpochDeadline::Lent => ctx.epochs = EpochDeadline::Unknown,
        EpochDeadline::Ours => store.set_epoch_deadline(EPOCHS),
    }
}
