//! Timers with timeouts beyond all measure do not hold up one that is due soon.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, pass_time, traces};

pub fn main() -> Result<()> {
    // From 0, and from a time that the largest timeout cannot be added to.
    pass_time(12_345)?;
    let event_loop = Loop::new()?;
    let begin = event_loop.now()?;
    let trace = Trace::new();
    let [tiny, huge, largest] = [1, (1 << 48) - 1, u64::MAX].map(|timeout| {
        let timer = Timer::new(&event_loop).unwrap();
        timer.start_with(timeout, 0, traces(&trace, timeout.to_string())).unwrap();
        timer
    });
    assert_eq!((tiny.due_in(), huge.due_in()), (Ok(1), Ok(281_474_976_710_655)));
    assert_eq!(largest.due_in(), Ok(u64::MAX - begin));
    assert_eq!(event_loop.poll_timeout(), Ok(Some(1)));
    tiny.set_callback({
        let trace = trace.clone();
        move |tiny| {
            trace.add("tiny");
            tiny.event_loop().handles().iter().for_each(Handle::close);
        }
    });
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(trace.take(), "tiny");
    assert_eq!(event_loop.now()? - begin, 1);
    event_loop.close()
}
