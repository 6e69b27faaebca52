//! When `now` is refreshed: by a run, also if it has nothing to do, after the poll, and before the timers
//! phase. In virtual time, which passes while some loop waits.

use uv_handles::{Check, Handle, Idle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::Trace;

/// Lets time pass, for all loops, without any of them seeing it but a new one.
fn delay(milliseconds: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(milliseconds, 0, Timer::close)?;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let begin = event_loop.now()?;
    delay(10)?;
    assert_eq!(event_loop.now()?, begin, "it stands still");
    event_loop.update_time()?;
    assert_eq!(event_loop.now()? - begin, 10);
    for (n, mode) in [RunMode::Default, RunMode::Once, RunMode::NoWait].into_iter().enumerate() {
        delay(10)?;
        assert!(!event_loop.run(mode)?, "nothing is alive");
        assert_eq!(event_loop.now()? - begin, 20 + 10 * n as u64, "{mode:?}");
    }

    let trace = Trace::new();
    let noted = {
        let trace = trace.clone();
        move |name: &str, event_loop: &Loop| {
            trace.add(format!("{name} {}", event_loop.now().unwrap() - begin));
        }
    };
    let idle = Idle::new(&event_loop)?;
    idle.start_with({
        let noted = noted.clone();
        move |idle| {
            noted("idle", &idle.event_loop());
            delay(5).unwrap();
            noted("idle", &idle.event_loop());
        }
    })?;
    let check = Check::new(&event_loop)?;
    check.start_with({
        let noted = noted.clone();
        move |check| {
            noted("check", &check.event_loop());
            delay(100).unwrap();
            noted("check", &check.event_loop());
        }
    })?;
    let timer = Timer::new(&event_loop)?;
    // Not due when the poll ends, but by the time of the timers phase.
    timer.start_with(50, 0, move |timer| noted("timer", &timer.event_loop()))?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "idle 40 idle 40 check 45 check 45 timer 145");

    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
