//! While an idle handle is active, the loop does not wait; when it is stopped, it does again.

use uv_handles::{Handle, Idle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let begin = event_loop.now()?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(1000, 0, traces(&trace, "timer"))?;
    let idle = Idle::new(&event_loop)?;
    let mut slices = 0;
    idle.start_with({
        let trace = trace.clone();
        move |idle| {
            slices += 1;
            if slices == 100 {
                trace.add("idle");
                // Virtual time passes only while a loop waits, so this one never has.
                assert_eq!(idle.event_loop().now(), Ok(begin));
                idle.stop();
            }
        }
    })?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(0)));
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "idle timer");
    assert_eq!(event_loop.now()? - begin, 1000);
    Ok(())
}
