//! Clocks end a wait, in the order of their deadlines, beside a timer.

use std::time::Instant;
use uv_handles::{Handle, Loop, Poll, PollEvents, Result, RunMode, Timer};
use uv_handles_test_guests::Trace;
use wasip2::clocks::monotonic_clock::subscribe_duration;

pub fn main() -> Result<()> {
    let (event_loop, trace, begin) = (Loop::new()?, Trace::new(), Instant::now());
    for milliseconds in [90, 30] {
        let poll = Poll::on_pollable(&event_loop, subscribe_duration(milliseconds * 1_000_000))?;
        let trace = trace.clone();
        poll.start_with(PollEvents::READABLE, move |poll, ready| {
            assert!(begin.elapsed().as_millis() >= u128::from(milliseconds));
            trace.add(format!("{milliseconds} {:?}", ready.unwrap()));
            poll.close();
        })?;
    }
    let in_between = trace.clone();
    Timer::new(&event_loop)?.start_with(60, 0, move |timer| {
        in_between.add("timer");
        timer.close();
    })?;
    // It never comes, and does not keep the loop alive.
    let never = Poll::on_pollable(&event_loop, subscribe_duration(u64::MAX))?;
    never.start_with(PollEvents::READABLE, |_, _| unreachable!("it is in 500 years"))?;
    never.dereference()?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "30 READABLE timer 90 READABLE");
    never.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
