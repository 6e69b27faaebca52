//! Watches for the peer's end only, while data that is not read waits: it blocks. The end is
//! reported when it comes.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Prepare, Result, RunMode, Timer};
use uv_handles_test_guests::drain;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let iterations = Rc::new(Cell::new(0));
    let prepare = Prepare::new(&event_loop)?;
    prepare.dereference()?;
    prepare.start_with({
        let iterations = iterations.clone();
        move |_| iterations.set(iterations.get() + 1)
    })?;
    let socket = Rc::new(Descriptor::open("socket")?);
    let poll = Poll::new(&event_loop, &socket)?;
    let ended = Rc::new(Cell::new(false));
    poll.start_with(PollEvents::DISCONNECT, {
        let ended = ended.clone();
        move |poll, ready| {
            assert_eq!(ready, Ok(PollEvents::DISCONNECT));
            ended.set(true);
            poll.close();
        }
    })?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(1000, 0, {
        let ended = ended.clone();
        move |_| {
            assert!(!ended.get());
            println!("{} iterations", iterations.get());
        }
    })?;
    event_loop.run(RunMode::Default)?;
    assert!(ended.get());
    let mut bytes = Vec::new();
    assert_eq!(drain(&socket, &mut bytes), Ok(true));
    println!("{}", String::from_utf8(bytes).unwrap());
    Ok(())
}
