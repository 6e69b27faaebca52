//! Inside a callback, the loop that runs cannot be run; another one can.

use uv_handles::{Handle, Loop, Result, RunMode, StatusCode, Timer};
use uv_handles_test_guests::{Trace, assert_refused, traces};

pub fn main() -> Result<()> {
    let (outer, inner) = (Loop::new()?, Loop::new()?);
    let trace = Trace::new();
    let in_inner = Timer::new(&inner)?;
    in_inner.start_with(50, 0, {
        let (trace, outer) = (trace.clone(), outer.clone());
        move |timer| {
            trace.add("inner");
            assert_refused(outer.run(RunMode::NoWait), StatusCode::EBUSY);
            timer.close();
        }
    })?;
    let [first, second] = [0, 1].map(|n| {
        let timer = Timer::new(&outer).unwrap();
        timer.start_with(10, 0, traces(&trace, n.to_string())).unwrap();
        timer
    });
    first.set_callback({
        let (trace, inner) = (trace.clone(), inner.clone());
        move |timer| {
            trace.add("begin");
            for mode in [RunMode::Default, RunMode::Once, RunMode::NoWait] {
                assert_refused(timer.event_loop().run(mode), StatusCode::EBUSY);
            }
            assert!(!inner.run(RunMode::Default).unwrap());
            trace.add("end");
            timer.close();
        }
    });
    second.set_on_closed(traces(&trace, "closed"));
    assert!(!outer.run(RunMode::Default)?);
    assert_eq!(trace.take(), "begin inner end 1");
    second.close();
    outer.run(RunMode::Default)?;
    assert_eq!(trace.take(), "closed");
    inner.close()?;
    outer.close()
}
