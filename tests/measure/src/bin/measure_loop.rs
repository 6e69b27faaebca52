//! What an iteration with an idle handle, a timer, and a wait for a timer cost.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use uv_handles::{Handle, Idle, Loop, Result, RunMode, Timer};

const CALLS: u32 = 200_000;
const WAITS: u32 = 500;

fn main() -> Result<()> {
    let event_loop = Loop::new()?;

    let idle = Idle::new(&event_loop)?;
    let left = Rc::new(Cell::new(CALLS));
    let calls = left.clone();
    idle.start_with(move |idle| {
        calls.set(calls.get() - 1);
        if calls.get() == 0 {
            idle.stop();
        }
    })?;
    let each = timed(CALLS, || event_loop.run(RunMode::Default).map(drop))?;
    println!("iteration with an idle handle: {} ns", each.as_nanos());

    let each = timed(CALLS, || fire(&event_loop, CALLS, 0))?;
    println!("timer, started and called at once: {} ns", each.as_nanos());

    let each = timed(WAITS, || fire(&event_loop, WAITS, 1))?;
    println!("timer of 1 ms: {} us", each.as_micros());
    Ok(())
}

/// A timer that starts itself so many times, with this timeout.
fn fire(event_loop: &Loop, times: u32, timeout: u64) -> Result<()> {
    let timer = Timer::new(event_loop)?;
    let mut left = times;
    timer.start_with(timeout, 0, move |timer| {
        left -= 1;
        match left {
            0 => timer.close(),
            _ => timer.start(timeout, 0).expect("it is open"),
        }
    })?;
    event_loop.run(RunMode::Default).map(drop)
}

fn timed(times: u32, run: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let begin = Instant::now();
    run()?;
    Ok(begin.elapsed() / times)
}
