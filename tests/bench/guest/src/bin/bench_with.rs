//! Instantiated by the benchmark, beside `bench_without`: the same program with `uv:handles`.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};

fn main() -> Result<()> {
    // It is never called with an argument, but the compiler does not know.
    for argument in std::env::args().skip(1) {
        let event_loop = Loop::new()?;
        let timer = Timer::new(&event_loop)?;
        timer.start_with(1, 0, move |timer| {
            println!("{argument}");
            timer.close();
        })?;
        event_loop.run(RunMode::Default)?;
    }
    Ok(())
}
