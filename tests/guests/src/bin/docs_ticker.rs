//! The first program of docs/guest.md.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    let mut ticks = 0;
    timer.start_with(100, 100, move |timer| {
        ticks += 1;
        println!("tick {ticks}");
        if ticks == 3 {
            timer.close();
        }
    })?;
    event_loop.run(RunMode::Default)?; // Ends when no active handle is left.
    event_loop.close()
}
