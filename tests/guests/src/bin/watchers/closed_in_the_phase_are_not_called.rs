//! The first of three handles closes itself and the next one, in the middle of their phase: the next
//! one is not called, the last one is.

use uv_handles::{Check, Handle, Idle, Loop, Prepare, Result, RunMode};
use uv_handles_test_guests::{Trace, traces};

macro_rules! close_the_next {
    ($event_loop:expr, $trace:expr, $kind:ident) => {{
        // They are called last-started first.
        let [last, next, first] = ["last", "next", "first"].map(|name| {
            let handle = $kind::new(&$event_loop).unwrap();
            handle.start_with(traces(&$trace, name)).unwrap();
            handle
        });
        first.set_callback({
            let (trace, next) = ($trace.clone(), next.clone());
            move |first| {
                trace.add("first");
                first.close();
                next.close();
            }
        });
        assert!($event_loop.run(RunMode::NoWait).unwrap());
        assert_eq!($trace.take(), "first last", stringify!($kind));
        assert!(first.is_closed() && next.is_closed() && last.is_active());
        $event_loop.run(RunMode::NoWait).unwrap();
        assert_eq!($trace.take(), "last", stringify!($kind));
        last.close();
        assert!(!$event_loop.run(RunMode::NoWait).unwrap());
    }};
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    close_the_next!(event_loop, trace, Idle);
    close_the_next!(event_loop, trace, Prepare);
    close_the_next!(event_loop, trace, Check);
    event_loop.close()
}
