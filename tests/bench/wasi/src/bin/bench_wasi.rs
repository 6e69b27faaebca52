//! The same work with `wasi:io/poll` and `wasi:clocks`, as a program without an event loop does it.

mod bindings {
    #![allow(
        missing_docs,
        missing_debug_implementations,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "by-hand", generate_all });
}

use bindings::uv_handles::bench::control;
use bindings::wasi::clocks::monotonic_clock::{now, subscribe_instant};
use bindings::wasi::io::poll::{Pollable, poll};

const MILLISECOND: u64 = 1_000_000;

fn main() {
    let mut args = std::env::args().skip(1);
    let name = args.next().expect("the name of the work");
    let numbers: Vec<u64> = args.map(|arg| arg.parse().expect("a number")).collect();
    match (name.as_str(), &numbers[..]) {
        ("spread-timers", &[many, times]) => spread_timers(many, times),
        // A timer is a pollable here.
        ("waits" | "pollables", &[pending, times, timeout]) => waits(pending, times, timeout),
        ("restarts", &[times]) => restarts(times),
        ("idle", &[times]) => idle(times),
        _ => panic!("no work {name} with {} numbers", numbers.len()),
    }
}

/// Many timers within 100 ms: all of them are polled until the last one was ready.
fn spread_timers(many: u64, times: u64) {
    let (mut fired, mut closed) = (0, 0);
    control::begin();
    for _ in 0..times {
        let begun = now();
        let timer = |at| Some(subscribe_instant(begun + (at % 100 + 1) * MILLISECOND));
        let mut timers: Vec<Option<Pollable>> = (0..many).map(timer).collect();
        while !timers.is_empty() {
            let pollables: Vec<&Pollable> = timers.iter().flatten().collect();
            for at in poll(&pollables) {
                fired += 1;
                // To be dropped.
                closed += u64::from(timers[at as usize].take().is_some());
            }
            timers.retain(Option::is_some);
        }
    }
    control::end();
    control::count("operations", many * times);
    control::count("fired", fired);
    control::count("closed", closed);
}

/// Waits for a timer beside others that are not due.
fn waits(pending: u64, times: u64, timeout: u64) {
    let begun = now();
    let pending: Vec<Pollable> =
        (0..pending).map(|at| subscribe_instant(begun + (60_000 + at) * MILLISECOND)).collect();
    let mut waited = 0;
    control::begin();
    for _ in 0..times {
        let timer = subscribe_instant(now() + timeout * MILLISECOND);
        let pollables: Vec<&Pollable> = [&timer].into_iter().chain(&pending).collect();
        // They become due if the process is suspended for long.
        while !poll(&pollables).contains(&0) {}
        waited += 1;
    }
    control::end();
    control::count("operations", waited);
}

/// A timer that is ready at once, again and again.
fn restarts(times: u64) {
    let mut fired = 0;
    control::begin();
    for _ in 0..times {
        subscribe_instant(now()).block();
        fired += 1;
    }
    control::end();
    control::count("operations", fired);
}

/// An iteration of a loop without anything to wait for: it reads the time, and polls without
/// waiting, which needs a pollable that is ready.
fn idle(times: u64) {
    let zero = subscribe_instant(0);
    let mut iterations = 0;
    control::begin();
    for _ in 0..times {
        std::hint::black_box(now());
        assert_eq!(poll(&[&zero]), [0]);
        iterations += 1;
    }
    control::end();
    control::count("operations", iterations);
}
