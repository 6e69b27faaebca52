//! One pass calls the handles in order of making. A send to one whose turn is still to come is
//! delivered in this same pass, to one that was visited in the next.

use uv_handles::{Async, Handle, Loop, Result, RunMode};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| {
        let handle = Async::new(&event_loop).unwrap();
        handle.set_callback(traces(&trace, name));
        handle
    });
    for handle in [&c, &a, &b] {
        handle.send()?;
    }
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "a b c");

    b.set_callback({
        let (trace, a, c) = (trace.clone(), a.clone(), c.clone());
        move |_| {
            trace.add("b");
            a.send().unwrap();
            c.send().unwrap();
        }
    });
    b.send()?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "b c");
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "a");

    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
