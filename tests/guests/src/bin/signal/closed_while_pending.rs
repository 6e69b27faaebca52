//! A signal has come, and before its handle's turn another callback of the same poll closes the
//! handle: it is not called, and its close callback comes in the same iteration.

use uv_handles::{Async, Handle, Loop, Result, RunMode, Signal, Signum};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let signum = Signum::new(46);
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let signal = Signal::new(&event_loop)?;
    signal.start_with(signum, |_, _| panic!("it is closed"))?;
    let closes = Async::new(&event_loop)?;
    closes.send_with({
        let (trace, signal) = (trace.clone(), signal.clone());
        move |closes| {
            trace.add("closes");
            signal.close_with(traces(&trace, "signal-closed"));
            closes.close_with(traces(&trace, "closed"));
        }
    })?;
    // Both have it, in either order: it is delivered to the whole process.
    let other = Loop::new()?;
    let witness = Signal::new(&other)?;
    witness.start_with(signum, |witness, _| witness.close())?;
    println!("ready");
    other.run(RunMode::Default)?;
    assert!(!event_loop.run(RunMode::NoWait)?);
    assert_eq!(trace.take(), "closes closed signal-closed");
    other.close()?;
    event_loop.close()
}
