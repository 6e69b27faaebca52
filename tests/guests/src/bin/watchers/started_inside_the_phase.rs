//! A handle that is started, or stopped and started, inside its own phase has its turn in the next
//! iteration, in front of all others. One that is stopped there has none.

use uv_handles::{Check, Handle, Idle, Loop, Prepare, Result, RunMode};
use uv_handles_test_guests::{Trace, traces};

macro_rules! started_inside {
    ($event_loop:expr, $trace:expr, $kind:ident) => {{
        let (event_loop, trace) = (&$event_loop, &$trace);
        let made: Vec<$kind> = (0..5).map(|_| $kind::new(event_loop)).collect::<Result<_>>()?;
        for (handle, name) in made.iter().zip(["last", "restarted", "stopped", "first", "fresh"]) {
            handle.set_callback(traces(trace, name));
            if name != "fresh" {
                handle.start()?;
            }
        }
        let [last, restarted, stopped, first, fresh] = made.clone().try_into().unwrap();
        first.set_callback({
            let trace = trace.clone();
            move |first| {
                trace.add("first");
                stopped.stop();
                restarted.stop();
                restarted.start().unwrap();
                fresh.start().unwrap();
                first.set_callback(traces(&trace, "first"));
            }
        });
        event_loop.run(RunMode::NoWait)?;
        assert_eq!(trace.take(), "first last", "{}", stringify!($kind));
        event_loop.run(RunMode::NoWait)?;
        assert_eq!(trace.take(), "fresh restarted first last", "{}", stringify!($kind));
        assert!(last.is_active());
        made.iter().for_each(Handle::close);
        event_loop.run(RunMode::Default)?;
    }};
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    started_inside!(event_loop, trace, Idle);
    started_inside!(event_loop, trace, Prepare);
    started_inside!(event_loop, trace, Check);
    event_loop.close()
}
