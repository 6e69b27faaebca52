//! A flood of one signal while the loop does not run, and one of another behind it. Both are there
//! afterwards, each as often as it was delivered.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Async, Handle, Loop, Result, RunMode, Signal, Signum};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let count = Rc::new(Cell::new(0));
    let flood = Signal::new(&event_loop)?;
    let counted = count.clone();
    flood.start_with(Signum::new(52), move |_, _| counted.set(counted.get() + 1))?;
    let behind = Signal::new(&event_loop)?;
    behind.start_with(Signum::new(53), move |_, _| println!("the other one"))?;
    let other = Loop::new()?;
    let go = Async::named(&other, "go")?;
    go.set_callback(|go| go.close());
    println!("ready");
    other.run(RunMode::Default)?;
    other.close()?;

    // Until all are counted. The loop does not wait while there are more.
    event_loop.run(RunMode::Once)?;
    while count.get() < 20_000 {
        event_loop.run(RunMode::Once)?;
    }
    event_loop.run(RunMode::NoWait)?;
    println!("{} of the flood", count.get());
    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
