//! Never waits: an idle handle, and a timer that is always due.

use uv_handles::{Idle, Loop, Result, RunMode, Timer};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let idle = Idle::new(&event_loop)?;
    idle.start_with(|_| {})?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(0, 0, |timer| timer.start(0, 0).unwrap())?;
    println!("busy");
    event_loop.run(RunMode::Default)?;
    println!("no code runs after an interrupt");
    Ok(())
}
