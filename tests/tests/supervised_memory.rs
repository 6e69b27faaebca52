//! The memory of an idle supervised plugin. No other test may allocate in this process meanwhile.

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use uv_handles_host::supervisor::SupervisedSet;
use uv_handles_host::{PluginSet, UvCtx, interrupt_by_epochs_sync};
use uv_handles_tests::supervised::{Supervised, SupervisedPlugins};
use wasmtime::{Result, Store};

#[global_allocator]
static ALLOCATIONS: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// In bytes of the heap, which the plugin's own memory is no part of.
#[test]
fn an_idle_plugin_costs_at_most_a_kibibyte_more_than_one_in_a_plain_set() -> Result<()> {
    const MANY: usize = 200;
    let plugins = SupervisedPlugins::in_set()?;
    let spec = plugins.spec("tick");
    let allocated = |add: &mut dyn FnMut(usize) -> Result<()>| {
        add(0)?;
        let region = Region::new(ALLOCATIONS);
        (1..=MANY).try_for_each(add)?;
        let change = region.change();
        Ok::<_, wasmtime::Error>((change.bytes_allocated - change.bytes_deallocated) / MANY)
    };
    let mut supervised = SupervisedSet::new()?;
    let with = allocated(&mut |number| {
        supervised.run(&format!("plugin {number}"), &spec).expect("it starts");
        Ok(())
    })?;
    let mut plain = PluginSet::new()?;
    let without = allocated(&mut |_| {
        let mut store = Store::new(plugins.engine(), Supervised::plain(UvCtx::builder().build()));
        interrupt_by_epochs_sync(&mut store);
        let (id, instance) = plain.instantiate(store, plugins.pre())?;
        let store = plain.store(id).expect("it is in the set");
        plugins.init(store, &instance, "tick")
    })?;
    println!("a supervised plugin takes {with} bytes of the heap, one in a plain set {without}");
    assert!(with <= without + 1024, "{with} bytes instead of {without}");
    Ok(())
}
