//! Waits as its argument says: for a timer, or in a loop that runs inside another one's callback.

use uv_handles::{Async, Loop, Result, RunMode, Timer};

/// Says so if anything of the guest still runs.
struct Dropped;

impl Drop for Dropped {
    fn drop(&mut self) {
        println!("dropped");
    }
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    let _dropped = Dropped;
    if uv_handles_test_guests::args().next().as_deref() == Some("nested") {
        let inner = Loop::new()?;
        let _never_sent = Async::new(&inner)?;
        timer.start_with(0, 0, move |_| {
            println!("ready");
            inner.run(RunMode::Default).unwrap();
            println!("the inner loop has ended");
        })?;
    } else {
        timer.start(60 * 60 * 1000, 0)?;
        println!("ready");
    }
    event_loop.run(RunMode::Default)?;
    println!("the loop has ended");
    Ok(())
}
