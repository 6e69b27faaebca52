//! Timers are called in order of deadline and, for equal ones, of their start.

use uv_handles::{Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, pass_time, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let timers: Vec<Timer> = (0..6).map(|_| Timer::new(&event_loop)).collect::<Result<_>>()?;
    for (timer, name) in timers.iter().zip(["a", "b", "c", "d", "e", "f"]) {
        timer.set_callback(traces(&trace, name));
    }
    let [a, b, c, d, e, f] = &timers[..] else { unreachable!() };
    c.start(10, 0)?;
    a.start(10, 0)?;
    f.start(0, 0)?;
    d.start(5, 0)?;
    b.start(10, 0)?;
    e.start(0, 0)?;
    // Started again: it is now the last of its deadline.
    c.start(10, 0)?;
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "f e d a b c");

    // Starting a started timer replaces its deadline, to an earlier or a later one, and its repeat.
    a.start(10, 0)?;
    b.start(50, 1)?;
    b.start(5, 0)?;
    a.start(70, 0)?;
    c.start(60, 0)?;
    assert_eq!((a.due_in(), b.due_in(), b.repeat()), (Ok(70), Ok(5), Ok(0)));
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "b c a");

    // Deadlines that have all passed by the time of the phase count the same way.
    let [slow, fast] = [20, 15].map(|timeout| {
        let timer = Timer::new(&event_loop).unwrap();
        timer.start_with(timeout, 0, traces(&trace, timeout.to_string())).unwrap();
        timer
    });
    pass_time(100)?;
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "15 20");
    drop((slow, fast));
    Ok(())
}
