//! How long a run goes on in each mode, and what it answers.

use uv_handles::{Async, Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    for mode in [RunMode::Default, RunMode::Once, RunMode::NoWait] {
        assert!(!event_loop.run(mode)?, "nothing to do");
    }

    let trace = Trace::new();
    let begin = event_loop.now()?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(100, 0, traces(&trace, "timer"))?;
    assert!(event_loop.run(RunMode::NoWait)?, "it is not due yet");
    assert!(trace.is_empty());
    assert_eq!(event_loop.now()?, begin);
    assert!(!event_loop.run(RunMode::Once)?, "it waits, and calls what is due then");
    assert_eq!(trace.take(), "timer");
    assert_eq!(event_loop.now()? - begin, 100);

    // Mode once is one iteration, also if more is due.
    let event = Async::new(&event_loop)?;
    event.send_with(traces(&trace, "event"))?;
    timer.start(100, 0)?;
    assert!(event_loop.run(RunMode::Once)?);
    assert_eq!(trace.take(), "event");

    // Mode default goes on until nothing is left.
    event.dereference()?;
    timer.start_with(0, 10, {
        let trace = trace.clone();
        move |timer| {
            trace.add("timer");
            if trace.len() == 3 {
                timer.stop();
            }
        }
    })?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "timer timer timer");

    event_loop.handles().iter().for_each(Handle::close);
    assert!(event_loop.is_alive(), "until the close callbacks");
    assert!(!event_loop.run(RunMode::NoWait)?);
    event_loop.close()
}
