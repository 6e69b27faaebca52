//! A handle that is made in the callback of an async handle stands behind those that were visited by
//! then, and before the others. A send to it there is delivered in the next poll.

use std::cell::RefCell;
use std::rc::Rc;
use uv_handles::{Async, Handle, Loop, Result, RunMode};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| {
        let handle = Async::new(&event_loop).unwrap();
        handle.set_callback(traces(&trace, name));
        handle
    });
    let made: Rc<RefCell<Option<Async>>> = Rc::default();
    b.set_callback({
        let (trace, made) = (trace.clone(), made.clone());
        move |b| {
            trace.add("b");
            let fresh = Async::new(&b.event_loop()).unwrap();
            fresh.send_with(traces(&trace, "fresh")).unwrap();
            *made.borrow_mut() = Some(fresh);
            b.set_callback(traces(&trace, "b"));
        }
    });
    let send_all = || [&c, &b, &a].into_iter().try_for_each(Async::send);
    send_all()?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "a b c");
    send_all()?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "a b fresh c");
    send_all()?;
    made.borrow().as_ref().unwrap().send()?;
    event_loop.run(RunMode::Once)?;
    assert_eq!(trace.take(), "a b fresh c", "and so it stays");

    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
