//! A callback that never returns.

use std::hint::black_box;
use uv_handles::{Loop, Result, RunMode, Timer};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(0, 0, |_| {
        println!("spinning");
        while black_box(true) {}
    })?;
    event_loop.run(RunMode::Default)?;
    println!("the callback has returned");
    Ok(())
}
