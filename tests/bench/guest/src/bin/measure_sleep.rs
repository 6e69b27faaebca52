//! Compares the cost of a task's sleep with that of a timer with an equivalent callback.

use std::time::{Duration, Instant};
use uv_handles::task::{Executor, sleep};
use uv_handles::{Handle, Loop, Result, RunMode, Timer};

const SLEEPS: u32 = 50_000;
const ROUNDS: usize = 9;

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let (mut timers, mut sleeps) = (Vec::new(), Vec::new());
    // Alternately, so that other load on the machine affects both.
    for _ in 0..ROUNDS {
        timers.push(timed(|| {
            fire(&event_loop, SLEEPS)?;
            event_loop.run(RunMode::Default).map(drop)
        })?);
        sleeps.push(timed(|| {
            Executor::new(&event_loop).block_on(async {
                for _ in 0..SLEEPS {
                    sleep(0).await?;
                }
                Ok(())
            })?
        })?);
    }
    let best = |times: Vec<Duration>| times.into_iter().min().unwrap_or_default();
    let (timer, sleep) = (best(timers), best(sleeps));
    println!("timer, made, called and closed: {} ns", timer.as_nanos());
    println!(
        "sleep: {} ns, {:.2} times as much",
        sleep.as_nanos(),
        sleep.as_secs_f64() / timer.as_secs_f64()
    );
    Ok(())
}

/// Timers one after the other, each made by the one before.
fn fire(event_loop: &Loop, times: u32) -> Result<()> {
    let timer = Timer::new(event_loop)?;
    timer.start_with(0, 0, move |timer| {
        timer.close();
        if times > 1 {
            fire(&timer.event_loop(), times - 1).expect("there is room");
        }
    })
}

fn timed(run: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let begin = Instant::now();
    run()?;
    Ok(begin.elapsed() / SLEEPS)
}
