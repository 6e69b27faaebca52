//! What keeps a loop alive: a handle that is active and referenced, or one that waits for its close
//! callback. Nothing else does.

use uv_handles::{Async, Handle, Loop, Result, RunMode, Timer};

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    assert!(!event_loop.alive());
    let timer = Timer::new(&event_loop)?;
    assert!(!event_loop.alive(), "a new timer is not active");
    timer.start(100, 0)?;
    assert!(event_loop.alive());
    timer.dereference()?;
    assert!(!event_loop.alive());
    timer.reference()?;
    assert!(event_loop.alive());
    timer.stop();
    assert!(!event_loop.alive());

    timer.start(100, 0)?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert!(!event_loop.alive(), "it has been called");

    let wake_up = Async::new(&event_loop)?;
    assert!(event_loop.alive(), "active from its making");
    for handle in event_loop.handles() {
        handle.dereference()?;
        handle.close_with(|handle| assert!(!handle.event_loop().alive(), "its batch counts no more"));
    }
    assert!(event_loop.alive());
    assert!(!event_loop.run(RunMode::Default)?);
    assert!(!event_loop.alive() && timer.closed() && wake_up.closed());
    event_loop.close()?;
    assert!(!event_loop.alive());
    Ok(())
}
