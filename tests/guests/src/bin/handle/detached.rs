//! A handle whose last value is dropped lives on in its loop, and can be found there.

use std::rc::Rc;
use uv_handles::{AnyHandle, Handle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let owned = Rc::new(());
    {
        let timer = Timer::new(&event_loop)?;
        let owned = owned.clone();
        let mut traces = traces(&trace, "called");
        timer.start_with(10, 10, move |timer| {
            let _kept = &owned;
            traces(timer);
        })?;
    }
    event_loop.run(RunMode::Once)?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "called called");

    let found = event_loop.handles();
    let [AnyHandle::Timer(timer)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(timer.repeat(), Ok(10));
    assert_eq!(Rc::strong_count(&owned), 2);
    timer.close();
    drop(found);
    event_loop.run(RunMode::Default)?;
    assert_eq!(Rc::strong_count(&owned), 1, "what the callback captured is dropped with it");
    event_loop.close()
}
