//! Makes loops, runs, timer pools and handles until the host refuses, all of them started, and gives them up in
//! the way of its argument: handles first, loops first, or nothing at all. With `signals`, all handles are of
//! the kind that costs the host most, and on one loop. With `beyond`, the host's limits are above wasmtime's.

use std::ops::ControlFlow;
use uv::batch::TimerPool;
use uv::event_loop::{Loop, Run};
use uv::types::{Error, ErrorCode, RunMode};
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::{assert_code, go_on};

/// A signal that is never sent.
const SIGPWR: i32 = 30;

/// A handle's resource: dropping this drops it.
#[allow(dead_code, reason = "it is there to be dropped")]
enum Owned {
    Timer(uv::timer::Timer),
    Idle(uv::idle::Idle),
    Prepare(uv::prepare::Prepare),
    Check(uv::check::Check),
    Async(uv::async_handle::AsyncHandle),
    Signal(uv::signal::Signal),
}

/// Makes a handle and starts it.
fn make(event_loop: &Loop, token: u64, kind: usize) -> Result<Owned, Error> {
    Ok(match kind {
        0 => {
            let timer = uv::timer::Timer::create(event_loop, token)?;
            timer.start(token, 1)?;
            Owned::Timer(timer)
        }
        1 => {
            let idle = uv::idle::Idle::create(event_loop, token)?;
            idle.start()?;
            Owned::Idle(idle)
        }
        2 => {
            let prepare = uv::prepare::Prepare::create(event_loop, token)?;
            prepare.start()?;
            Owned::Prepare(prepare)
        }
        3 => {
            let check = uv::check::Check::create(event_loop, token)?;
            check.start()?;
            Owned::Check(check)
        }
        4 => {
            let handle = uv::async_handle::AsyncHandle::create(event_loop, token)?;
            handle.send()?;
            Owned::Async(handle)
        }
        _ => {
            let signal = uv::signal::Signal::create(event_loop, token)?;
            signal.start(SIGPWR)?;
            Owned::Signal(signal)
        }
    })
}

pub fn main() {
    let how = uv_handles_test_guests::args().next().expect("how to end");
    let mut loops = Vec::new();
    let refused = loop {
        match Loop::create() {
            Ok(event_loop) => loops.push(event_loop),
            Err(error) => break Err::<(), _>(error),
        }
    };
    assert_code(refused, ErrorCode::Emfile);
    assert_eq!(loops.len(), 64);

    let mut pools = Vec::new();
    let refused = loop {
        match TimerPool::create() {
            Ok(pool) => pools.push(pool),
            Err(error) => break Err::<(), _>(error),
        }
    };
    assert_code(refused, ErrorCode::Enomem);
    assert_eq!(pools.len(), 64);

    let mut handles = Vec::new();
    let refused = loop {
        let at = handles.len();
        let (owner, kind) = if how == "signals" { (0, 5) } else { (at % loops.len(), at % 6) };
        match make(&loops[owner], at as u64, kind) {
            Ok(handle) => handles.push(handle),
            Err(error) => break Err::<(), _>(error),
        }
    };
    assert_code(refused, ErrorCode::Enomem);
    assert_eq!(handles.len(), 65_536);
    assert!(loops.iter().all(|event_loop| make(event_loop, 0, 0).is_err()));
    assert!(pools.iter().all(|pool| pool.allocate(&loops[0], 1).is_err()));

    // They all work.
    let mut events = 0;
    for event_loop in &loops {
        let run = event_loop.begin(RunMode::Nowait).unwrap();
        while let ControlFlow::Continue(_) = go_on(&run).unwrap() {
            events += 1;
        }
    }
    if how != "signals" {
        // Idle, prepare, check and async handles are called whatever else happens.
        assert!(events >= handles.len() / 6 * 4, "{events} events");
    }

    // A run of every loop, each in a callback, and not one more.
    let begin = |event_loop: &Loop| {
        let run = event_loop.begin(RunMode::Nowait)?;
        run.next().map(|_| run)
    };
    let runs: Vec<Run> = loops.iter().map(|event_loop| begin(event_loop).unwrap()).collect();
    for event_loop in &loops {
        let refused = begin(event_loop).map(drop);
        assert!(matches!(refused, Err(Error::Code(ErrorCode::Emfile | ErrorCode::Ebusy))), "{refused:?}");
    }
    match how.as_str() {
        "handles" => drop((handles, runs, loops)),
        "loops" | "signals" => {
            drop(loops);
            assert_eq!(runs.len(), 64);
            // Those without anything to run for have finished before.
            assert!(runs.iter().all(|run| run.next().is_err()));
            drop(handles);
            drop(pools);
            let event_loop = Loop::create().unwrap();
            assert_code(begin(&event_loop), ErrorCode::Emfile);
            drop(runs);
            assert!(begin(&event_loop).is_ok() && TimerPool::create().is_ok(), "there is room again");
        }
        _ => std::mem::forget((handles, runs, loops)),
    }
}
