//! A handle that is started, or stopped and started, inside its own phase has its turn in the next
//! iteration, in front of all others. One that is stopped there has none.

use uv_handles::{Handle, Loop, Prepare, Result, RunMode};
use uv_handles_test_guests::{Trace, traces};

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let made: Vec<Prepare> = (0..5).map(|_| Prepare::new(&event_loop)).collect::<Result<_>>()?;
    for (handle, name) in made.iter().zip(["last", "restarted", "stopped", "first", "fresh"]) {
        handle.set_callback(traces(&trace, name));
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
    assert_eq!(trace.take(), "first last");
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "fresh restarted first last");
    assert!(last.active());
    made.iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
