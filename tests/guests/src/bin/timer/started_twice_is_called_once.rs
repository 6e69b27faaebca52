//! Starting a started timer replaces its deadline, its repeat and its callback: it is called once.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let begin = event_loop.now()?;
    let trace = Trace::new();
    let timer = Timer::new(&event_loop)?;
    // To an earlier time, and to a later one.
    for (first, second) in [((86_400_000, 5), 10), ((10, 5), 1000)] {
        timer.start_with(first.0, first.1, traces(&trace, "first"))?;
        timer.start_with(second, 0, traces(&trace, "second"))?;
        assert_eq!((timer.due_in(), timer.repeat()), (Ok(second), Ok(0)));
        assert!(!event_loop.run(RunMode::Default)?);
        assert_eq!(trace.take(), "second");
    }
    assert_eq!(event_loop.now()? - begin, 1010);
    timer.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
