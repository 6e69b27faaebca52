//! How long the next iteration would wait, in every situation.

use uv_handles::{Async, Handle, Idle, Loop, Result, RunMode, Timer};

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let at_once = Ok(Some(0));
    assert_eq!(event_loop.poll_timeout(), at_once, "nothing to wait for");
    let timer = Timer::new(&event_loop)?;
    assert_eq!(event_loop.poll_timeout(), at_once);

    timer.start(1000, 0)?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(1000)));
    let sooner = Timer::new(&event_loop)?;
    sooner.start(10, 0)?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(10)));
    sooner.stop();
    assert_eq!(event_loop.poll_timeout(), Ok(Some(1000)));
    // Nothing else is alive, so there is nothing to wait for.
    timer.dereference()?;
    assert_eq!(event_loop.poll_timeout(), at_once);

    let wake_up = Async::new(&event_loop)?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(1000)), "an unreferenced timer ends a wait, too");
    timer.stop();
    assert_eq!(event_loop.poll_timeout(), Ok(None), "without limit");
    timer.start(u64::MAX, 0)?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(i32::MAX as u32)), "as far as it goes");
    timer.start(1000, 0)?;
    timer.reference()?;

    let idle = Idle::new(&event_loop)?;
    idle.start()?;
    assert_eq!(event_loop.poll_timeout(), at_once);
    idle.stop();
    assert_eq!(event_loop.poll_timeout(), Ok(Some(1000)));
    for handle in [idle.into(), wake_up.into()] as [uv_handles::AnyHandle; 2] {
        handle.close();
    }
    assert_eq!(event_loop.poll_timeout(), at_once, "there are close callbacks to call");
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(1000)));
    event_loop.stop();
    assert_eq!(event_loop.poll_timeout(), at_once);
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(1000)));

    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(event_loop.poll_timeout(), at_once);
    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
