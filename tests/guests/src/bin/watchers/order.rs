//! Idle, prepare and check handles run last-started first, and keep that order afterwards.

use uv_handles::{Check, Handle, Idle, Loop, Prepare, Result, RunMode};
use uv_handles_test_guests::{Trace, traces};

macro_rules! order {
    ($event_loop:expr, $trace:expr, $kind:ident) => {{
        let [a, b, c] = ["a", "b", "c"].map(|name| {
            let handle = $kind::new(&$event_loop).unwrap();
            handle.set_callback(traces(&$trace, name));
            handle
        });
        for handle in [&b, &a, &c] {
            handle.start().unwrap();
        }
        // Nothing happens: it keeps its place.
        b.start().unwrap();
        for _ in 0..3 {
            $event_loop.run(RunMode::NoWait).unwrap();
            assert_eq!($trace.take(), "c a b", stringify!($kind));
        }
        // A new start: in front of all others.
        b.stop();
        b.start().unwrap();
        $event_loop.run(RunMode::NoWait).unwrap();
        assert_eq!($trace.take(), "b c a", stringify!($kind));
        a.stop();
        a.stop();
        $event_loop.run(RunMode::NoWait).unwrap();
        assert_eq!($trace.take(), "b c", stringify!($kind));
        for handle in [a, b, c] {
            handle.close();
        }
        $event_loop.run(RunMode::Default).unwrap();
    }};
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    order!(event_loop, trace, Idle);
    order!(event_loop, trace, Prepare);
    order!(event_loop, trace, Check);
    event_loop.close()
}
