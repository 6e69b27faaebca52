//! Many timers side by side: those without a repeat are called once each, a repeating one until it
//! is closed, and one that was stopped never.

use std::cell::Cell;
use uv_handles::{Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let begin = event_loop.now()?;
    let trace = Trace::new();
    let note = |name: &'static str| {
        let trace = trace.clone();
        move |timer: &Timer| trace.add(format!("{name}{}", timer.event_loop().now().unwrap() - begin))
    };
    for n in 0..10 {
        let timer = Timer::new(&event_loop)?;
        let note = note("once");
        timer.start_with(n * 50, 0, move |timer| {
            assert!(!timer.is_active());
            note(timer);
            timer.close();
        })?;
    }
    let repeating = Timer::new(&event_loop)?;
    let calls = Cell::new(0);
    let note = note("repeating");
    repeating.start_with(100, 100, move |timer| {
        assert!(timer.is_active());
        note(timer);
        calls.set(calls.get() + 1);
        if calls.get() == 5 {
            timer.close();
        }
    })?;
    let stopped = Timer::new(&event_loop)?;
    stopped.start_with(100, 100, traces(&trace, "never"))?;
    stopped.stop();

    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(
        trace.take(),
        "once0 once50 once100 repeating100 once150 once200 repeating200 once250 once300 repeating300 \
         once350 once400 repeating400 once450 repeating500"
    );
    assert_eq!(event_loop.handles(), [stopped.clone().into()], "the others are closed");
    stopped.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
