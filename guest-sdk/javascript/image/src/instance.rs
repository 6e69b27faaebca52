//! An instance of the runtime that has initialized itself.

use wasmtime::component::{Component, ComponentType, Linker, Lower, TypedFunc};
use wasmtime::error::Context;
use wasmtime::{Config, Engine, Result, Store, format_err};

/// The interface that the runtime exports for its initialization.
pub const INTERFACE: &str = "uv:javascript/image@0.1.0";

/// The memory of an initialized instance. Any import that it calls is a trap, but for those of
/// [`constants`]: the result must not depend on a host.
pub fn prepared(bytes: &[u8], files: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let mut config = Config::new();
    config.concurrency_support(false);
    let engine = Engine::new(&config)?;
    let component = Component::new(&engine, bytes)?;
    let mut linker = Linker::<()>::new(&engine);
    constants(&mut linker, &component)?;
    linker.define_unknown_imports_as_traps(&component)?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component)?;
    let interface = instance.get_export_index(&mut store, None, INTERFACE);
    let mut function = |name: &str| {
        instance
            .get_export_index(&mut store, interface.as_ref(), name)
            .with_context(|| format_err!("there is no function {name} of {INTERFACE}"))
    };
    let [prepare, size, peek] = [function("prepare")?, function("size")?, function("peek")?];
    let prepare = instance.get_typed_func::<(&[(String, Vec<u8>)],), ()>(&mut store, prepare)?;
    let size = instance.get_typed_func::<(), (u32,)>(&mut store, size)?;
    let peek: TypedFunc<(u32,), (u64,)> = instance.get_typed_func(&mut store, peek)?;
    prepare.call(&mut store, (files,)).context("the initialization fails")?;
    let (size,) = size.call(&mut store, ())?;
    let mut memory = Vec::with_capacity(size as usize);
    for address in (0..size).step_by(8) {
        let (bytes,) = peek.call(&mut store, (address,))?;
        memory.extend(bytes.to_le_bytes());
    }
    Ok(memory)
}

/// The record `datetime` of WASI's wall clock.
#[derive(Default, ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

/// Clocks that stand still, and seeds of hash maps that are always the same.
fn constants(linker: &mut Linker<()>, component: &Component) -> Result<()> {
    let engine = linker.engine().clone();
    let names: Vec<String> =
        component.component_type().imports(&engine).map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let interface = name.split('@').next().unwrap_or_default();
        let mut instance = match interface {
            "wasi:clocks/wall-clock" | "wasi:clocks/monotonic-clock" | "wasi:random/insecure-seed" => {
                linker.instance(&name)?
            }
            _ => continue,
        };
        match interface {
            "wasi:clocks/wall-clock" => instance.func_wrap("now", |_, ()| Ok((Datetime::default(),)))?,
            "wasi:clocks/monotonic-clock" => instance.func_wrap("now", |_, ()| Ok((0_u64,)))?,
            _ => instance.func_wrap("insecure-seed", |_, ()| Ok(((0_u64, 0_u64),)))?,
        }
    }
    Ok(())
}
