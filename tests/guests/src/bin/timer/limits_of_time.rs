//! Times at the edges: zero, and as far away as there are numbers.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let [never, at_once] = [(); 2].map(|()| Timer::new(&event_loop).unwrap());
    let [never_too, day] = [(); 2].map(|()| Timer::new(&event_loop).unwrap());
    day.start_with(86_400_000, 0, traces(&trace, "day"))?;
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "day");

    // From a `now` that is not 0, the deadline is cut instead of wrapping around.
    let now = event_loop.now()?;
    assert!(now >= 86_400_000);
    never.start_with(u64::MAX, 0, traces(&trace, "never"))?;
    never_too.start_with(u64::MAX - now, u64::MAX, traces(&trace, "never"))?;
    assert_eq!(never.due_in(), Ok(u64::MAX - now));
    assert_eq!(never_too.due_in(), Ok(u64::MAX - now));
    assert!(event_loop.poll_timeout()?.is_some_and(|timeout| timeout > 86_400_000));

    at_once.start_with(0, 0, traces(&trace, "at-once"))?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(0)));
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "at-once");
    assert_eq!(event_loop.now()?, now, "nothing was waited for");

    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    assert!(trace.is_empty());
    event_loop.close()
}
