//! In one poll, signals come after async handles and poll handles.

use uv_handles::{Async, Check, Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode, Signal, Signum};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let signal = Signal::new(&event_loop)?;
    signal.start_with(Signum::new(49), {
        let trace = trace.clone();
        move |_, _| trace.add("signal")
    })?;
    let socket = Descriptor::open("socket")?;
    let poll = Poll::new(&event_loop, &socket)?;
    poll.start_with(PollEvents::WRITABLE, {
        let trace = trace.clone();
        move |_, _| trace.add("poll")
    })?;
    let wake_up = Async::new(&event_loop)?;
    wake_up.send_with(traces(&trace, "async"))?;
    let check = Check::new(&event_loop)?;
    check.start_with(traces(&trace, "check"))?;

    // The signal is sent while another loop waits: this one finds everything together.
    let other = Loop::new()?;
    let go = Async::named(&other, "go")?;
    go.set_callback(Async::close);
    println!("ready");
    other.run(RunMode::Default)?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "async poll signal check");

    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
