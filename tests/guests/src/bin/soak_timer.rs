//! The well-behaved neighbour: a timer of 10 ms, for as long as it is left. It reports how late it was called, in
//! microseconds: the worst of every ten times.
//!
//! A program of its own: the soak test measures its process.

use std::time::{Duration, Instant};
use uv_handles::{Async, Descriptor, Handle, Loop, Result, RunMode, Timer};

const EVERY: u64 = 10;

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let report = Descriptor::open("lateness")?;
    let timer = Timer::new(&event_loop)?;
    let (mut last, mut worst, mut calls) = (Instant::now(), Duration::ZERO, 0);
    timer.start_with(EVERY, EVERY, move |_| {
        let now = Instant::now();
        worst = worst.max(now.duration_since(last).saturating_sub(Duration::from_millis(EVERY)));
        last = now;
        calls += 1;
        if calls % 10 == 0 {
            let micros = std::mem::take(&mut worst).as_micros() as u64;
            assert_eq!(report.write(&micros.to_le_bytes()), Ok(8));
        }
    })?;
    let end = Async::named(&event_loop, "end")?;
    end.set_callback(|end| end.event_loop().handles().iter().for_each(Handle::close));
    println!("ready");
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
