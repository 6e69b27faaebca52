//! From `close` on, before the close callback already, a timer cannot be started.

use uv_handles::{Error, Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let timer = Timer::new(&event_loop)?;
    let refused = Err(Error::HandleClosed);
    timer.close_with({
        let trace = trace.clone();
        move |timer| {
            assert_eq!([timer.start(0, 0), timer.again()], [refused; 2]);
            trace.add("closed");
        }
    });
    assert_eq!(timer.start_with(100, 100, traces(&trace, "called")), refused);
    assert_eq!([timer.start(0, 0), timer.again(), timer.set_repeat(1)], [refused; 3]);
    assert!(!timer.is_active());
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "closed");
    event_loop.close()
}
