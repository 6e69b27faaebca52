//! Waits for an hour, unless it is woken.

use uv_handles::{Async, Handle, Loop, Result, RunMode, Timer};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(60 * 60 * 1000, 0, |_| unreachable!("the test ends before"))?;
    let wake_up = Async::named(&event_loop, "wake-up")?;
    wake_up.set_callback(|wake_up| wake_up.event_loop().handles().iter().for_each(Handle::close));
    println!("waiting");
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
