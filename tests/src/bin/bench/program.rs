//! The benchmark's sides in the sandbox: does one piece of work and prints the result. `cargo xtask
//! bench` runs it, in turns with the other sides.
//!
//! ```text
//! bench compile CONFIGURATION GUEST COMPILED       compiles a guest for later runs
//! bench run CONFIGURATION LINKER COMPILED WORK ...  runs a guest with these arguments
//! bench instantiate CONFIGURATION LINKER COMPILED TIMES  makes instances of a guest, and drops them
//! bench programs COMPILED MANY PERIOD TICKS         many guests in tasks of one thread, each with a timer
//! bench plugins COMPILED MANY PERIOD TICKS          the same with plugins in tasks
//! bench set COMPILED MANY PERIOD TICKS              ... on the thread of a set; also set-with-slack, supervised
//! bench called COMPILED MANY PERIOD TICKS           ... that have no loop; also in-turn
//! ```
//!
//! A configuration is `recommended`, `dense`, `concurrency`, `without-epochs` or `on-demand`, a
//! linker `uv` or `wasi`.

mod guests;
mod instantiate;
mod marks;
mod outside;
mod run;

use guests::As;
use std::path::Path;
use std::time::Duration;
use uv_handles_host::EpochTicker;
use wasmtime::component::Component;
use wasmtime::{Engine, InstanceAllocationStrategy, Result};

mod bindings {
    wasmtime::component::bindgen!({ path: "bench/guest/wit", world: "guest" });
}

/// The program.
pub fn main() -> Result<()> {
    uv_handles_bench::raise_descriptor_limit();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["compile", configuration, guest, compiled] => {
            let bytes = engine(configuration, ONE)?.precompile_component(&std::fs::read(guest)?)?;
            // A concurrent run of it sees either the old file or the new one.
            let fresh = format!("{compiled}.new");
            std::fs::write(&fresh, bytes)?;
            std::fs::rename(fresh, compiled)?;
            Ok(())
        }
        ["run", configuration, linker, compiled, ref work @ ..] => {
            run::run(&component(configuration, ONE, compiled)?, has_uv(linker), work)
        }
        ["instantiate", configuration, linker, compiled, times] => {
            instantiate::run(&component(configuration, ONE, compiled)?, has_uv(linker), number(times))
        }
        [
            hosted
            @ ("programs" | "set" | "supervised" | "set-with-slack" | "plugins" | "called" | "in-turn"),
            compiled,
            many,
            period,
            ticks,
        ] => {
            let hosted = match hosted {
                "programs" => As::Programs,
                "set" => As::Set(Duration::ZERO),
                "supervised" => As::Supervised,
                "set-with-slack" => As::Set(TIMER_SLACK),
                "plugins" => As::Plugins,
                "in-turn" => As::InTurn,
                _ => As::Called,
            };
            let many = number(many);
            // And one to begin with.
            let configuration = if matches!(hosted, As::Programs) { "recommended" } else { "dense" };
            let component = component(configuration, u32::try_from(many)? + 1, compiled)?;
            guests::run(&component, hosted, many, number(period), number(ticks))
        }
        _ => panic!("unknown arguments: {args:?}"),
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

fn has_uv(linker: &str) -> bool {
    match linker {
        "uv" => true,
        "wasi" => false,
        _ => panic!("no linker {linker}"),
    }
}

/// The configuration that docs/embedding.md shows.
const TIMER_SLACK: Duration = Duration::from_millis(4);

/// More than enough for a plugin that ticks.
const PLUGIN_MEMORY: u64 = 1 << 20;

/// The memory of one guest: a composed one has the adapter's memory in addition to its own.
const ONE: u32 = 2;

/// The engine that the host crate recommends for this many guests, or with options that embedders
/// may need in addition.
fn engine(configuration: &str, guests: u32) -> Result<Engine> {
    let mut config = match configuration {
        "dense" => uv_handles_host::dense_engine_config(guests, PLUGIN_MEMORY),
        _ => uv_handles_host::engine_config(guests),
    };
    match configuration {
        "recommended" | "dense" => {}
        "concurrency" => drop(config.concurrency_support(true)),
        "without-epochs" => drop(config.epoch_interruption(false)),
        "on-demand" => drop(config.allocation_strategy(InstanceAllocationStrategy::OnDemand)),
        _ => panic!("no configuration {configuration}"),
    }
    Engine::new(&config)
}

fn component(configuration: &str, guests: u32, compiled: impl AsRef<Path>) -> Result<Component> {
    // SAFETY: the file was written by `compile` above, for the benchmark alone.
    unsafe { Component::deserialize_file(&engine(configuration, guests)?, compiled) }
}

/// As it is recommended: a guest that spins could be ended.
fn epochs(engine: &Engine) -> Result<EpochTicker> {
    Ok(EpochTicker::start(engine, Duration::from_millis(10))?)
}
