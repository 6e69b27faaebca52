//! A handle that is closed with a delivery pending is not called any more, and its close callback is not
//! put off. One that is stopped is not called either.

use uv_handles::{Async, Handle, Loop, Result, RunMode, Signal, Signum};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let [called, closed, stopped, closed_inside] =
        ["called", "closed", "stopped", "closed-inside"].map(|name| {
            let signal = Signal::new(&event_loop).unwrap();
            let trace = trace.clone();
            signal.start_with(Signum::new(50), move |_, _| trace.add(name)).unwrap();
            signal
        });
    called.set_callback({
        let trace = trace.clone();
        move |_, _| {
            trace.add("called");
            closed_inside.close_with(traces(&trace, "close-callback-inside"));
        }
    });
    let other = Loop::new()?;
    let go = Async::named(&other, "go")?;
    go.set_callback(Async::close);
    println!("ready");
    other.run(RunMode::Default)?;

    // The signal has been sent by now, and this loop has not looked for it yet.
    closed.close_with(traces(&trace, "close-callback"));
    stopped.stop();
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "called close-callback-inside close-callback");
    assert!(closed.is_closed());

    called.close();
    stopped.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
