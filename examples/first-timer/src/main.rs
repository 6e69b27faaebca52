//! A timer that fires once: the smallest guest.
//!
//! `cargo build --release --target wasm32-wasip2`, then `uv-run` on the result.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(500, 0, |timer| {
        println!("half a second later");
        timer.close();
    })?;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
