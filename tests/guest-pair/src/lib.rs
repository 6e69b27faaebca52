//! A component that makes, starts, stops, closes and runs loops and handles at random, in callbacks
//! too, and keeps a trace of what happened. It never waits, so its trace depends on nothing but its
//! seed: not on the time, and not on another component that shares its store.

use std::cell::{Cell, RefCell};
use uv_handles::{AnyHandle, Async, Check, Handle, Idle, Loop, Prepare, Result, RunMode, Timer};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "pair" });
}

struct Component;

/// The most loops and handles that exist at once.
const LOOPS: usize = 6;
const HANDLES: usize = 60;

/// The deepest nesting of runs.
const DEEPEST: u32 = 3;

thread_local! {
    static RANDOM: Cell<u64> = const { Cell::new(0) };
    static TRACE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static LOOPS_MADE: RefCell<Vec<Loop>> = const { RefCell::new(Vec::new()) };
    static HANDLES_MADE: RefCell<Vec<(u64, AnyHandle)>> = const { RefCell::new(Vec::new()) };
    static NAMES: Cell<u64> = const { Cell::new(0) };
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// How many more callbacks may do something: runs end when it is used up.
    static BUDGET: Cell<u32> = const { Cell::new(0) };
}

/// A number below `below` (splitmix64).
fn random(below: u64) -> u64 {
    let state = RANDOM.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
    RANDOM.set(state);
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % below
}

fn trace(line: String) {
    TRACE.with_borrow_mut(|trace| trace.push(line));
}

fn some_loop() -> Option<Loop> {
    let count = LOOPS_MADE.with_borrow(Vec::len) as u64;
    (count > 0).then(|| LOOPS_MADE.with_borrow(|loops| loops[random(count) as usize].clone()))
}

fn some_handle() -> Option<(u64, AnyHandle)> {
    let count = HANDLES_MADE.with_borrow(Vec::len) as u64;
    (count > 0).then(|| HANDLES_MADE.with_borrow(|handles| handles[random(count) as usize].clone()))
}

/// The body of every callback: a line, and perhaps more.
fn called(name: u64) {
    trace(format!("call {name}"));
    let budget = BUDGET.get();
    if budget == 0 {
        return;
    }
    BUDGET.set(budget - 1);
    for _ in 0..random(3) {
        step();
    }
    // The other component runs its loops inside this callback.
    if random(3) == 0 {
        bindings::peer();
    }
}

fn make(event_loop: &Loop) -> Result<()> {
    if HANDLES_MADE.with_borrow(Vec::len) >= HANDLES {
        return Ok(());
    }
    let name = NAMES.get();
    NAMES.set(name + 1);
    let handle: AnyHandle = match random(8) {
        0 => {
            let idle = Idle::new(event_loop)?;
            idle.set_callback(move |_| called(name));
            idle.into()
        }
        1 => {
            let prepare = Prepare::new(event_loop)?;
            prepare.set_callback(move |_| called(name));
            prepare.into()
        }
        2 => {
            let check = Check::new(event_loop)?;
            check.set_callback(move |_| called(name));
            check.into()
        }
        3 => {
            let wake_up = Async::new(event_loop)?;
            wake_up.set_callback(move |_| called(name));
            wake_up.into()
        }
        _ => {
            let timer = Timer::new(event_loop)?;
            timer.set_callback(move |_| called(name));
            timer.into()
        }
    };
    trace(format!("make {name}"));
    HANDLES_MADE.with_borrow_mut(|handles| handles.push((name, handle)));
    Ok(())
}

/// Starts a handle; every timer is due at once.
fn start(handle: &AnyHandle) -> Result<()> {
    match handle {
        AnyHandle::Timer(timer) => timer.start(0, 0),
        AnyHandle::Idle(idle) => idle.start(),
        AnyHandle::Prepare(prepare) => prepare.start(),
        AnyHandle::Check(check) => check.start(),
        AnyHandle::Async(wake_up) => wake_up.send(),
        _ => Ok(()),
    }
}

fn stop(handle: &AnyHandle) {
    match handle {
        AnyHandle::Timer(timer) => timer.stop(),
        AnyHandle::Idle(idle) => idle.stop(),
        AnyHandle::Prepare(prepare) => prepare.stop(),
        AnyHandle::Check(check) => check.stop(),
        _ => {}
    }
}

fn close(name: u64, handle: &AnyHandle) {
    handle.close_with(move |_| {
        HANDLES_MADE.with_borrow_mut(|handles| handles.retain(|(other, _)| *other != name));
        called(name);
    });
}

fn run(event_loop: &Loop) {
    if DEPTH.get() == DEEPEST {
        return;
    }
    DEPTH.set(DEPTH.get() + 1);
    let ended = event_loop.run(RunMode::NoWait);
    DEPTH.set(DEPTH.get() - 1);
    trace(format!("ran {ended:?}"));
}

/// Many handles that are due in one phase, so that they come as a batch.
fn burst(event_loop: &Loop) -> Result<()> {
    for _ in 0..4 + random(8) {
        make(event_loop)?;
    }
    let handles = HANDLES_MADE.with_borrow(|handles| handles.clone());
    handles.iter().try_for_each(|(_, handle)| match start(handle) {
        Err(uv_handles::Error::HandleClosed) => Ok(()),
        started => started,
    })
}

fn step() {
    let done = match random(12) {
        0 if LOOPS_MADE.with_borrow(Vec::len) < LOOPS => {
            Loop::new().map(|made| LOOPS_MADE.with_borrow_mut(|loops| loops.push(made)))
        }
        1 | 2 => some_loop().map_or(Ok(()), |event_loop| make(&event_loop)),
        3 => some_loop().map_or(Ok(()), |event_loop| burst(&event_loop)),
        4..=6 => some_handle().map_or(Ok(()), |(_, handle)| start(&handle)),
        7 => some_handle().map_or(Ok(()), |(_, handle)| {
            stop(&handle);
            Ok(())
        }),
        8 => some_handle().map_or(Ok(()), |(name, handle)| {
            close(name, &handle);
            Ok(())
        }),
        9 => some_loop().map_or(Ok(()), |event_loop| {
            event_loop.stop();
            Ok(())
        }),
        _ => some_loop().map_or(Ok(()), |event_loop| {
            run(&event_loop);
            Ok(())
        }),
    };
    if let Err(error) = done {
        trace(error.to_string());
    }
}

impl bindings::Guest for Component {
    fn begin(seed: u64) {
        RANDOM.set(seed);
    }

    fn turn(steps: u32) {
        BUDGET.set(20);
        for _ in 0..steps {
            step();
        }
    }

    fn trace() -> Vec<String> {
        TRACE.with_borrow(Clone::clone)
    }
}

bindings::export!(Component with_types_in bindings);
