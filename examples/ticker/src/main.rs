//! A service that prints a line periodically. docs/deploy.md deploys it.
//!
//! Environment variables: `TICKER_PERIOD_MS` (default: 1000), and `TICKER_TICKS`, the number of
//! lines after which it ends (default: no end).

use std::env::VarError;
use uv_handles::{Handle, Loop, Result, RunMode, Timer};

fn main() -> Result<()> {
    let period = number("TICKER_PERIOD_MS").unwrap_or(1000);
    let ticks = number("TICKER_TICKS");
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    let mut done = 0;
    timer.start_with(period, period, move |timer| {
        done += 1;
        println!("tick {done}");
        if ticks.is_some_and(|ticks| done >= ticks) {
            timer.close();
        }
    })?;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}

/// Returns the number in an environment variable. Any other content ends the program.
fn number(name: &str) -> Option<u64> {
    match std::env::var(name) {
        Ok(text) => Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text:?}"))),
        Err(VarError::NotPresent) => None,
        Err(error) => panic!("{name}: {error}"),
    }
}
