//! Two components in one store, each with the SDK and loops of its own. Whatever one does inside
//! the callbacks of the other, the trace of each is the same as alone.

use std::sync::OnceLock;
use uv_handles_host::UvCtx;
use uv_handles_tests::{State, component, linker};
use wasmtime::component::{Component, Instance, Linker, TypedFunc};
use wasmtime::{Config, Engine, Result, Store, StoreContextMut};
use wasmtime_wasi::WasiCtx;

/// How many pairs are composed.
const PAIRS: u64 = 300;

/// How many turns each component has, beside those inside of the other one's callbacks.
const TURNS: u32 = 6;

/// One component's exports.
#[derive(Clone)]
struct Part {
    turn: TypedFunc<(u32,), ()>,
    trace: TypedFunc<(), (Vec<String>,)>,
}

impl Part {
    fn new(store: &mut Store<State>, instance: &Instance, seed: u64) -> Result<Part> {
        let begin = instance.get_typed_func::<(u64,), ()>(&mut *store, "begin")?;
        begin.call(&mut *store, (seed,))?;
        Ok(Part {
            turn: instance.get_typed_func(&mut *store, "turn")?,
            trace: instance.get_typed_func(&mut *store, "trace")?,
        })
    }
}

fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.concurrency_support(false);
    Engine::new(&config)
}

fn store(engine: &Engine) -> Store<State> {
    Store::new(engine, State::new(UvCtx::builder().virtual_time(true).build(), WasiCtx::builder().build()))
}

/// An instance whose calls of `peer` run this closure.
fn instance(
    store: &mut Store<State>,
    component: &Component,
    peer: impl Fn(StoreContextMut<'_, State>) -> Result<()> + Send + Sync + 'static,
) -> Result<Instance> {
    let mut linker: Linker<State> = linker(component.engine())?;
    linker.root().func_wrap("peer", move |store, (): ()| peer(store))?;
    linker.instantiate(store, component)
}

/// The trace of a component alone, with this many turns.
fn alone(component: &Component, seed: u64, turns: u32) -> Result<Vec<String>> {
    let mut store = store(component.engine());
    let instance = instance(&mut store, component, |_| Ok(()))?;
    let part = Part::new(&mut store, &instance, seed)?;
    for _ in 0..turns {
        part.turn.call(&mut store, (8,))?;
    }
    Ok(part.trace.call(&mut store, ())?.0)
}

#[test]
fn each_of_two_components_sees_what_it_sees_alone() -> Result<()> {
    let engine = engine()?;
    let guest = Component::from_file(&engine, component("pair-guest"))?;
    let (mut nested, mut lines) = (0, 0);
    for seed in 0..PAIRS {
        let mut store = store(&engine);
        let inner = instance(&mut store, &guest, |_| Ok(()))?;
        let inner = Part::new(&mut store, &inner, 2 * seed)?;
        let turns = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let (called, counted) = (OnceLock::from(inner.clone()), turns.clone());
        let outer = instance(&mut store, &guest, move |store| {
            counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            called.get().expect("it was set").turn.call(store, (8,))
        })?;
        let outer = Part::new(&mut store, &outer, 2 * seed + 1)?;
        for _ in 0..TURNS {
            outer.turn.call(&mut store, (8,))?;
            inner.turn.call(&mut store, (8,))?;
        }
        let in_callbacks = turns.load(std::sync::atomic::Ordering::Relaxed);
        let traces = [inner.trace.call(&mut store, ())?.0, outer.trace.call(&mut store, ())?.0];
        assert_eq!(traces[0], alone(&guest, 2 * seed, TURNS + in_callbacks)?, "inner, seed {seed}");
        assert_eq!(traces[1], alone(&guest, 2 * seed + 1, TURNS)?, "outer, seed {seed}");
        nested += in_callbacks;
        lines += traces[1].len();
    }
    // The pairs have really run in each other's callbacks.
    assert!(u64::from(nested) > PAIRS && lines as u64 > 20 * PAIRS, "{nested} turns, {lines} lines");
    Ok(())
}
