//! Traps in the callback of a signal.

use uv_handles::{Loop, Result, RunMode, Signal, Signum};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let signal = Signal::new(&event_loop)?;
    signal.start_with(Signum::new(37), |_, _| panic!("as it is meant to"))?;
    println!("ready");
    event_loop.run(RunMode::Default)?;
    Ok(())
}
