//! Two loops in one guest have their own handles, times and runs.

use uv_handles::{Async, Handle, Idle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let (one, two) = (Loop::new()?, Loop::new()?);
    assert_ne!(one, two);
    let trace = Trace::new();
    let (in_one, in_two) = (Timer::new(&one)?, Timer::new(&two)?);
    in_one.start_with(100, 0, traces(&trace, "one"))?;
    in_two.start_with(100, 0, traces(&trace, "two"))?;
    let woken = Async::new(&two)?;
    woken.send_with(traces(&trace, "woken"))?;
    assert_eq!((in_one.event_loop(), in_two.event_loop()), (one.clone(), two.clone()));
    assert_eq!(one.handles(), [in_one.clone().into()]);
    assert_eq!(two.handles(), [in_two.clone().into(), woken.clone().into()]);

    let before = two.now()?;
    assert!(!one.run(RunMode::Default)?);
    assert_eq!(trace.take(), "one", "the other loop's event is for the other loop");
    assert!(!one.is_alive() && two.is_alive());
    assert_eq!(two.now()?, before, "each has its own idea of now");

    // Due already: the clock is the same. A busy loop does not keep the other one from waiting, and stopping one does not stop the other.
    let idle = Idle::new(&one)?;
    idle.start()?;
    one.stop();
    woken.dereference()?;
    assert!(!two.run(RunMode::Default)?);
    assert_eq!(trace.take(), "two woken");

    for event_loop in [&one, &two] {
        event_loop.handles().iter().for_each(Handle::close);
        event_loop.run(RunMode::Default)?;
    }
    // The stop was for the run that followed it.
    one.run(RunMode::Default)?;
    one.close()?;
    assert!(!two.is_closed());
    two.close()
}
