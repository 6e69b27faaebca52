//! A wake-up by name: only what was granted, one handle at a time, and again after that is closed.
//! It says how far it has come, and goes on when the test sends "go".

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Async, Handle, Loop, Result, RunMode, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let gone = Rc::new(Cell::new(false));
    let go = Async::named(&event_loop, "go")?;
    go.set_callback({
        let gone = gone.clone();
        move |_| gone.set(true)
    });
    let wait = |what: &str| {
        println!("{what}");
        while !gone.take() {
            event_loop.run(RunMode::Once).unwrap();
        }
    };
    assert_refused(Async::named(&event_loop, "stop"), StatusCode::ENOENT);
    assert_refused(Async::named(&event_loop, ""), StatusCode::ENOENT);
    wait("not open");

    let tick = Async::named(&event_loop, "tick")?;
    assert_refused(Async::named(&event_loop, "tick"), StatusCode::EBUSY);
    let other = Loop::new()?;
    assert_refused(Async::named(&other, "tick"), StatusCode::EBUSY);
    wait("open");

    tick.close();
    wait("closed");
    let again = Async::named(&event_loop, "tick")?;
    again.set_callback(|_| println!("tick"));
    wait("open again");

    // Handles that are dropped without being closed live on.
    drop(again);
    assert_refused(Async::named(&event_loop, "tick"), StatusCode::EBUSY);
    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
