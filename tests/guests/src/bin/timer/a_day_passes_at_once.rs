//! In virtual time, a day passes as soon as there is nothing else to wait for.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};

const DAY: u64 = 24 * 60 * 60 * 1000;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let begin = event_loop.now()?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(DAY, 0, Timer::close)?;
    event_loop.run(RunMode::Default)?;
    assert!(timer.is_closed());
    assert_eq!(event_loop.now()? - begin, DAY);
    event_loop.close()
}
