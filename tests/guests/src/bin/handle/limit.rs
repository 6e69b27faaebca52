//! The host allows five handles, on all loops together. A closed handle makes room when its last
//! value is gone.

use uv_handles::{
    AnyHandle, Async, Check, Handle, Idle, Loop, Prepare, Result, RunMode, Signal, StatusCode, Timer,
};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let (one, two) = (Loop::new()?, Loop::new()?);
    let mut handles: Vec<AnyHandle> = vec![
        Timer::new(&one)?.into(),
        Idle::new(&two)?.into(),
        Prepare::new(&one)?.into(),
        Check::new(&two)?.into(),
        Async::named(&one, "tick")?.into(),
    ];
    for event_loop in [&one, &two] {
        assert_refused(Timer::new(event_loop), StatusCode::ENOMEM);
        assert_refused(Idle::new(event_loop), StatusCode::ENOMEM);
        assert_refused(Prepare::new(event_loop), StatusCode::ENOMEM);
        assert_refused(Check::new(event_loop), StatusCode::ENOMEM);
        assert_refused(Async::new(event_loop), StatusCode::ENOMEM);
        assert_refused(Async::named(event_loop, "tock"), StatusCode::ENOMEM);
        assert_refused(Signal::new(event_loop), StatusCode::ENOMEM);
    }
    assert_eq!(one.handles().len() + two.handles().len(), 5, "what was refused has left nothing");

    let closed = handles.remove(0);
    closed.close();
    assert_refused(Timer::new(&two), StatusCode::ENOMEM);
    one.run(RunMode::NoWait)?;
    assert!(closed.is_closed());
    drop(closed);
    handles.push(Timer::new(&two)?.into());
    assert_refused(Timer::new(&two), StatusCode::ENOMEM);

    // The name that was refused for want of room is still free.
    handles.pop().unwrap().close();
    two.run(RunMode::NoWait)?;
    handles.push(Async::named(&two, "tock")?.into());
    Ok(())
}
