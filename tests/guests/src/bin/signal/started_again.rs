//! Starting a handle again with the signal that it watches changes its callback and nothing else.

use uv_handles::{Async, Handle, Loop, Result, RunMode, Signal, Signum};
use uv_handles_test_guests::Trace;

pub fn main() -> Result<()> {
    let signum = Signum::new(51);
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let notes = |name: &'static str| {
        let trace = trace.clone();
        move |_: &Signal, _| trace.add(name)
    };
    let [first, second] = [(); 2].map(|()| Signal::new(&event_loop).unwrap());
    first.start_with(signum, notes("old"))?;
    second.start_with(signum, notes("second"))?;
    let other = Loop::new()?;
    let go = Async::named(&other, "go")?;
    go.set_callback(Async::close);
    println!("ready");
    other.run(RunMode::Default)?;

    // With a delivery pending, which a new start would have lost.
    first.start_with(signum, notes("new"))?;
    assert_eq!(first.signum(), Ok(Some(signum)));
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "new second");
    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
