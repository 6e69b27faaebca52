//! Timers of one day: one that ends it, and others that print the time again and again until then.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};

const DAY: u64 = 24 * 60 * 60 * 1000;

/// Milliseconds from one line to the next. At some times several are due.
const REPEATS: [u64; 4] = [25_000, 60_000, 77_777, 3_600_000];

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    println!("begins at {}", event_loop.now()?);
    for repeat in REPEATS {
        let timer = Timer::new(&event_loop)?;
        timer.start_with(repeat, repeat, move |timer| {
            println!("{repeat} at {}", timer.event_loop().now().unwrap());
        })?;
        timer.dereference()?;
    }
    let day = Timer::new(&event_loop)?;
    day.start_with(DAY, 0, |day| {
        println!("a day at {}", day.event_loop().now().unwrap());
        day.close();
    })?;
    event_loop.run(RunMode::Default)?;
    Ok(())
}
