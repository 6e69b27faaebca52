//! An unreferenced handle whose signal has come does not keep its loop alive, so it is not called.
//! Closed, it does, until its close callback.

use uv_handles::{Handle, Loop, Result, RunMode, Signal, Signum};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let signum = Signum::new(47);
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let signal = Signal::new(&event_loop)?;
    signal.start_with(signum, |_, _| panic!("no iteration comes to it"))?;
    signal.dereference()?;
    let other = Loop::new()?;
    let witness = Signal::new(&other)?;
    witness.start_with(signum, |witness, _| witness.close())?;
    println!("ready");
    other.run(RunMode::Default)?;
    assert!(signal.is_active() && !event_loop.is_alive());
    assert!(!event_loop.run(RunMode::Default)?);

    signal.close_with(traces(&trace, "closed"));
    assert!(event_loop.is_alive());
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "closed");
    assert!(!event_loop.is_alive());
    other.close()?;
    event_loop.close()
}
