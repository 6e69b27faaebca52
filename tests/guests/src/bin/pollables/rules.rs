//! The rules of poll handles hold for pollables: level-triggered, stop, close, order, references.

use uv_handles::{Check, Error, Handle, Idle, Loop, Poll, PollEvents, Result, RunMode, StatusCode};
use uv_handles_test_guests::{Trace, assert_refused, traces};
use wasip2::clocks::monotonic_clock::subscribe_instant;

/// A poll handle on a pollable that is always ready.
fn ready(event_loop: &Loop, trace: &Trace, name: &'static str) -> Result<Poll> {
    let poll = Poll::on_pollable(event_loop, subscribe_instant(0))?;
    let trace = trace.clone();
    poll.set_callback(move |_, ready| trace.add(format!("{name} {:?}", ready.unwrap())));
    Ok(poll)
}

/// Runs iterations until there has been an event: a runtime may look at a clock only in the second.
fn once(event_loop: &Loop, trace: &Trace) -> Result<String> {
    while trace.is_empty() {
        event_loop.run(RunMode::Once)?;
    }
    Ok(trace.take())
}

pub fn main() -> Result<()> {
    let (event_loop, trace) = (Loop::new()?, Trace::new());
    let first = ready(&event_loop, &trace, "first")?;
    assert!(!first.is_active() && !event_loop.is_alive());
    assert_refused(first.fileno(), StatusCode::EINVAL);
    assert!(first.descriptor().is_none());

    // Level-triggered, with the events that were asked for.
    first.start(PollEvents::READABLE)?;
    assert!(first.is_active() && event_loop.is_alive());
    once(&event_loop, &trace)?;
    assert_eq!(once(&event_loop, &trace)?, "first READABLE");
    first.start(PollEvents::WRITABLE)?;
    assert_eq!(once(&event_loop, &trace)?, "first WRITABLE");

    // In the poll phase.
    let (idle, check) = (Idle::new(&event_loop)?, Check::new(&event_loop)?);
    idle.start_with(traces(&trace, "idle"))?;
    check.start_with(traces(&trace, "check"))?;
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "idle first WRITABLE check");
    idle.close();
    check.close();
    event_loop.run(RunMode::NoWait)?;
    trace.take();

    // In the order of making; what the first one stops or closes is not called.
    let second = ready(&event_loop, &trace, "second")?;
    let third = ready(&event_loop, &trace, "third")?;
    second.start(PollEvents::READABLE)?;
    third.start(PollEvents::READABLE)?;
    once(&event_loop, &trace)?;
    assert_eq!(once(&event_loop, &trace)?, "first WRITABLE second READABLE third READABLE");
    let (stopped, closed) = (second.clone(), third.clone());
    let is_called = trace.clone();
    first.set_callback(move |_, _| {
        is_called.add("first");
        stopped.stop();
        closed.close();
    });
    assert_eq!(once(&event_loop, &trace)?, "first");
    assert!(!second.is_active() && third.is_closed());
    first.set_callback(|_, _| {});

    // Stopped and started again, it still has its pollable.
    second.start(PollEvents::READABLE)?;
    assert_eq!(once(&event_loop, &trace)?, "second READABLE");
    second.start(PollEvents::NONE)?;
    assert!(!second.is_active());
    second.start(PollEvents::READABLE)?;
    second.dereference()?;
    first.close();
    assert!(matches!(first.start(PollEvents::READABLE), Err(Error::HandleClosed)));
    event_loop.run(RunMode::Default)?;
    assert!(!event_loop.is_alive() && second.is_active());
    second.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
