//! Close callbacks come in a closing phase, last-closed first, and never inside `close`. What is
//! closed inside one of them waits for the next iteration.

use uv_handles::{Handle, Idle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let [a, b, c, d] = [(); 4].map(|()| Timer::new(&event_loop).unwrap());
    a.close_with(traces(&trace, "a"));
    b.close_with({
        let (trace, d) = (trace.clone(), d.clone());
        move |_| {
            trace.add("b");
            d.close_with(traces(&trace, "d"));
        }
    });
    c.close_with(traces(&trace, "c"));
    // A second close does nothing, and does not replace the callback.
    a.close_with(traces(&trace, "replaced"));
    a.close();
    assert!(trace.is_empty(), "never inside `close`");
    assert!(event_loop.run(RunMode::NoWait)?, "one is left");
    assert_eq!(trace.take(), "c b a");
    assert!(a.is_closed() && b.is_closed() && c.is_closed() && !d.is_closed() && d.is_closing());
    assert!(!event_loop.run(RunMode::NoWait)?);
    assert_eq!(trace.take(), "d");

    // Set before or after `close`, as long as it has not been called.
    let [early, late, never] = [(); 3].map(|()| Idle::new(&event_loop).unwrap());
    early.set_on_closed(traces(&trace, "early"));
    early.close();
    late.close();
    late.set_on_closed(traces(&trace, "late"));
    never.close();
    event_loop.run(RunMode::Default)?;
    never.set_on_closed(traces(&trace, "never"));
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "late early");
    event_loop.close()
}
