//! A stream can be dropped once the poll handle on it is closed, and so can all values in any order.

use uv_handles::{Handle, Loop, Poll, PollEvents, Result, RunMode};
use uv_handles_test_guests::Trace;
use wasip2::cli::stdin::get_stdin;
use wasip2::clocks::monotonic_clock::subscribe_instant;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    for starts in [false, true] {
        let stream = get_stdin();
        let poll = Poll::on_pollable(&event_loop, stream.subscribe())?;
        if starts {
            poll.start_with(PollEvents::READABLE, |_, _| {})?;
            event_loop.run(RunMode::NoWait)?;
        }
        poll.close();
        // Before the close callback.
        drop(stream);
        event_loop.run(RunMode::Default)?;
    }

    // Closed in its own callback.
    let (stream, trace) = (get_stdin(), Trace::new());
    let poll = Poll::on_pollable(&event_loop, stream.subscribe())?;
    let (mut stream, traces) = (Some(stream), trace.clone());
    poll.start_with(PollEvents::READABLE, move |poll, ready| {
        traces.add(format!("{:?}", ready.unwrap()));
        poll.close();
        drop(stream.take());
    })?;
    drop(poll);
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "READABLE");

    // Dropped with its loop.
    let other = Loop::new()?;
    let stream = get_stdin();
    let poll = Poll::on_pollable(&other, stream.subscribe())?;
    poll.start_with(PollEvents::READABLE, |_, _| {})?;
    other.run(RunMode::NoWait)?;
    poll.close();
    drop((other, poll, stream));

    // A second loop gets the number of the first one, and a handle that of a closed one.
    let other = Loop::new()?;
    let poll = Poll::on_pollable(&other, subscribe_instant(0))?;
    poll.start_with(PollEvents::READABLE, |poll, _| poll.close())?;
    other.run(RunMode::Default)?;
    other.close()?;
    event_loop.close()
}
