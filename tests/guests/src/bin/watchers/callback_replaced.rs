//! A callback given with `start` replaces the one before, also on a started handle; one that is
//! replaced while it runs is called to its end.

use uv_handles::{Check, Error, Handle, Idle, Loop, Prepare, Result, RunMode};
use uv_handles_test_guests::{Trace, traces};

macro_rules! replaced {
    ($event_loop:expr, $trace:expr, $kind:ident) => {{
        let (event_loop, trace) = (&$event_loop, &$trace);
        let handle = $kind::new(event_loop)?;
        // Without a callback it is simply not called.
        handle.start()?;
        event_loop.run(RunMode::NoWait)?;

        handle.start_with(traces(trace, "old"))?;
        handle.start_with(traces(trace, "new"))?;
        event_loop.run(RunMode::NoWait)?;
        assert_eq!(trace.take(), "new");

        handle.set_callback({
            let trace = trace.clone();
            move |handle| {
                handle.set_callback(traces(&trace, "replaced"));
                trace.add("replacing");
            }
        });
        event_loop.run(RunMode::NoWait)?;
        event_loop.run(RunMode::NoWait)?;
        assert_eq!(trace.take(), "replacing replaced");

        handle.close();
        assert_eq!(handle.start_with(traces(trace, "refused")), Err(Error::HandleClosed));
        event_loop.run(RunMode::Default)?;
        assert!(trace.is_empty());
    }};
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    replaced!(event_loop, trace, Idle);
    replaced!(event_loop, trace, Prepare);
    replaced!(event_loop, trace, Check);
    event_loop.close()
}
