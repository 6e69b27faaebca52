//! Without virtual time, a timer is not called before its time.

use uv_handles::{Loop, Result, RunMode, Timer};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(120, 0, |_| println!("called"))?;
    event_loop.run(RunMode::Default)?;
    Ok(())
}
