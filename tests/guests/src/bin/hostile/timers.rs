//! Timers with a timeout of 0 that restart themselves, and each other, for ever. The loop's other phases
//! have their turn all the same: a wake-up ends it.

use uv_handles::{Async, Check, Handle, Loop, Result, RunMode, Timer};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let timers: Vec<Timer> = (0..100).map(|_| Timer::new(&event_loop)).collect::<Result<_>>()?;
    for (at, timer) in timers.iter().enumerate() {
        let next = timers[(at + 1) % timers.len()].clone();
        timer.start_with(0, 0, move |timer| {
            timer.start(0, 0).unwrap();
            next.start(0, u64::MAX).unwrap();
        })?;
    }
    let check = Check::new(&event_loop)?;
    let mut iterations = 0;
    check.start_with(move |_| {
        iterations += 1;
        if iterations == 100 {
            println!("busy");
        }
    })?;
    let stop = Async::named(&event_loop, "stop")?;
    stop.set_callback(|stop| stop.event_loop().handles().iter().for_each(Handle::close));
    event_loop.run(RunMode::Default)?;
    drop(timers);
    event_loop.close()
}
