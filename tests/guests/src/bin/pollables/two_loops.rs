//! Two loops with pollables, one run inside a callback of the other: neither wakes the other's wait.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Handle, Loop, Poll, PollEvents, Prepare, Result, RunMode};
use uv_handles_test_guests::Trace;
use wasip2::clocks::monotonic_clock::{subscribe_duration, subscribe_instant};

pub fn main() -> Result<()> {
    let (outer, inner, trace) = (Loop::new()?, Loop::new()?, Trace::new());
    let later = Poll::on_pollable(&inner, subscribe_duration(50_000_000))?;
    let traces = trace.clone();
    later.start_with(PollEvents::READABLE, move |poll, _| {
        traces.add("inner");
        poll.close();
    })?;
    let iterations = Rc::new(Cell::new(0));
    let prepare = Prepare::new(&inner)?;
    let counts = iterations.clone();
    prepare.start_with(move |_| counts.set(counts.get() + 1))?;
    prepare.dereference()?;

    for name in ["first", "second"] {
        let always = Poll::on_pollable(&outer, subscribe_instant(0))?;
        let (inner, traces, mut calls) = (inner.clone(), trace.clone(), 0);
        always.start_with(PollEvents::READABLE, move |poll, _| {
            calls += 1;
            if calls == 1 {
                traces.add(name);
                // Both pollables of the outer loop are ready for all of this time.
                inner.run(RunMode::Default).unwrap();
            } else {
                poll.close();
            }
        })?;
    }
    outer.run(RunMode::Default)?;
    assert_eq!(trace.take(), "first inner second");
    assert!(iterations.get() <= 3, "the inner loop waits, in {} iterations", iterations.get());
    prepare.close();
    for event_loop in [outer, inner] {
        event_loop.run(RunMode::Default)?;
        event_loop.close()?;
    }
    Ok(())
}
