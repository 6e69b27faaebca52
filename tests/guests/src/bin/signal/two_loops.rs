//! Two loops of one guest watch one signal: both are called, each when it is run.

use uv_handles::{Handle, Loop, Result, RunMode, Signal, Signum};

pub fn main() -> Result<()> {
    let signum = Signum::new(35);
    let loops = [Loop::new()?, Loop::new()?];
    for (n, event_loop) in loops.iter().enumerate() {
        let signal = Signal::new(event_loop)?;
        signal.start_with(signum, move |signal, _| {
            println!("loop {n}");
            signal.close();
        })?;
    }
    println!("ready");
    for event_loop in &loops {
        event_loop.run(RunMode::Default)?;
        event_loop.close()?;
    }
    Ok(())
}
