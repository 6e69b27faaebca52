//! Traps in the callback of a wake-up.

use uv_handles::{Async, Loop, Result, RunMode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let wake_up = Async::named(&event_loop, "wake-up")?;
    wake_up.set_callback(|_| panic!("as it is meant to"));
    println!("ready");
    event_loop.run(RunMode::Default)?;
    Ok(())
}
