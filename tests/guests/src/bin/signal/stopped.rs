//! A stopped signal handle is not called. After a new start it is called again. It prints what it does, and
//! the test sends the signal each time before it wakes the guest.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Async, Handle, Loop, Result, RunMode, Signal, Signum};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let go = Async::named(&event_loop, "go")?;
    let gone = Rc::new(Cell::new(false));
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
    let signal = Signal::new(&event_loop)?;
    signal.start_with(Signum::SIGURG, |_, _| println!("called"))?;
    wait("started");
    signal.stop();
    signal.stop();
    wait("stopped");
    signal.start(Signum::SIGURG)?;
    wait("started");
    // Another signal instead: the first one is not watched any more.
    signal.start(Signum::SIGCONT)?;
    wait("another");
    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
