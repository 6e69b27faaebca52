//! Poll handles.

use crate::control;
use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode};

/// A byte that goes back and forth.
pub fn ping_pong(times: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    let called = Rc::new(Cell::new(0));
    let sides = [Descriptor::open("ping")?, Descriptor::open("pong")?];
    for side in &sides {
        let poll = Poll::new(&event_loop, side)?;
        let (side, called, owner) = (side.clone(), called.clone(), event_loop.clone());
        poll.start_with(PollEvents::READABLE, move |_, ready| {
            assert_eq!(ready, Ok(PollEvents::READABLE));
            let mut ball = [0];
            assert_eq!(side.read(&mut ball), Ok(1));
            called.set(called.get() + 1);
            if called.get() == times {
                owner.stop();
            } else {
                assert_eq!(side.write(&ball), Ok(1));
            }
        })?;
    }
    sides[0].write(b"o")?;
    measured(&event_loop)?;
    control::count("operations", called.get());
    Ok(())
}

/// Many event descriptors, few of them ready: each passes its events on to its neighbor.
pub fn many(many: u64, ready: u64, events: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    let called = Rc::new(Cell::new(0));
    let places: Vec<Descriptor> =
        (0..many).map(|at| Descriptor::open(&at.to_string())).collect::<Result<_>>()?;
    for (at, place) in places.iter().enumerate() {
        let poll = Poll::new(&event_loop, place)?;
        let (place, next) = (place.clone(), places[(at + 1) % places.len()].clone());
        let (called, owner) = (called.clone(), event_loop.clone());
        poll.start_with(PollEvents::READABLE, move |_, ready| {
            assert_eq!(ready, Ok(PollEvents::READABLE));
            let mut token = [0; 8];
            assert_eq!(place.read(&mut token), Ok(8));
            called.set(called.get() + 1);
            if called.get() == events {
                owner.stop();
            }
            assert_eq!(next.write(&token), Ok(8));
        })?;
    }
    // Before the measurement, so that the OS knows all of them.
    event_loop.run(RunMode::NoWait)?;
    for token in 0..ready {
        let at = token * (many / ready);
        assert_eq!(places[at as usize].write(&1_u64.to_ne_bytes()), Ok(8));
    }
    measured(&event_loop)?;
    // Callbacks after the loop was stopped, in the same iteration, are not counted.
    control::count("operations", events);
    Ok(())
}

fn measured(event_loop: &Loop) -> Result<()> {
    control::begin();
    event_loop.run(RunMode::Default)?;
    control::end();
    for handle in event_loop.handles() {
        handle.close();
    }
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
