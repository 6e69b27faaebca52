//! How long the loop would wait: until the next timer, without limit, or not at all.

use uv_handles::{Async, Handle, Idle, Loop, Prepare, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(0)), "nothing is active");
    let wake_up = Async::new(&event_loop)?;
    assert_eq!(event_loop.poll_timeout(), Ok(None), "only something from outside ends the wait");
    wake_up.dereference()?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(0)), "nothing that is active is referenced");
    wake_up.reference()?;

    // The next timer, whether it is referenced or not.
    let [near, far] = [(); 2].map(|()| Timer::new(&event_loop).unwrap());
    far.start(300, 0)?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(300)));
    near.start(70, 0)?;
    near.dereference()?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(70)));
    wake_up.dereference()?;
    far.dereference()?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(0)), "only unreferenced timers are left");
    far.reference()?;
    near.stop();
    assert_eq!(event_loop.poll_timeout(), Ok(Some(300)));

    // The reasons for not waiting.
    let idle = Idle::new(&event_loop)?;
    idle.dereference()?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(300)), "an idle handle that is not active changes nothing");
    idle.start()?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(0)), "an active one does, referenced or not");
    idle.stop();
    assert_eq!(event_loop.poll_timeout(), Ok(Some(300)));
    idle.close();
    assert_eq!(event_loop.poll_timeout(), Ok(Some(0)), "a handle waits for its close callback");
    let begin = event_loop.now()?;
    assert!(event_loop.run(RunMode::Once)?);
    assert_eq!((event_loop.now()?, idle.is_closed()), (begin, true), "it has not waited");
    assert_eq!(event_loop.poll_timeout(), Ok(Some(300)));
    event_loop.stop();
    assert_eq!(event_loop.poll_timeout(), Ok(Some(0)), "the loop is stopped");
    event_loop.run(RunMode::Once)?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(300)));

    // Without an active and referenced handle, mode default does not wait for the timers either: what
    // keeps this loop alive is stopped before the poll.
    let trace = Trace::new();
    let prepare = Prepare::new(&event_loop)?;
    prepare.start_with({
        let trace = trace.clone();
        move |prepare| {
            trace.add("prepare");
            far.stop();
            prepare.stop();
        }
    })?;
    near.start_with(70, 0, traces(&trace, "timer"))?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!((trace.take().as_str(), event_loop.now()?), ("prepare", begin));

    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
