//! The process has no more descriptors, long before the guest's own limits: all that needs one is EMFILE,
//! and goes well when there are some again.

use std::cell::RefCell;
use std::rc::Rc;
use uv_handles::{
    Descriptor, Error, Handle, Idle, Loop, Poll, PollEvents, Result, RunMode, Signal, Signum, StatusCode,
    Timer,
};
use uv_handles_test_guests::{Trace, assert_refused, traces};

pub fn main() -> Result<()> {
    let clients = Rc::new(Descriptor::open("clients")?);
    let in_use = Loop::new()?;
    let accepting = Poll::new(&in_use, &clients)?;
    let held = Rc::new(RefCell::new(Vec::new()));
    accepting.start_with(PollEvents::READABLE, {
        let (clients, held) = (clients.clone(), held.clone());
        move |accepting, _| match clients.accept() {
            Ok(client) => held.borrow_mut().push(client),
            Err(Error::Status(StatusCode::EMFILE)) => accepting.stop(),
            Err(Error::Status(StatusCode::EAGAIN)) => {}
            Err(error) => panic!("{error}"),
        }
    })?;
    println!("accepts");
    in_use.run(RunMode::Default)?;
    assert!(held.borrow().len() > 10);

    // A loop that has never waited cannot.
    let trace = Trace::new();
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    // It is never due here, or the loop would not have to wait.
    timer.start_with(60 * 60 * 1000, 0, traces(&trace, "timer"))?;
    let signal = Signal::new(&event_loop)?;
    for _ in 0..3 {
        assert_refused(clients.accept(), StatusCode::EMFILE);
        assert_refused(Descriptor::open("other"), StatusCode::EMFILE);
        assert_refused(Poll::new(&event_loop, &clients), StatusCode::EMFILE);
        // A signal handle needs a descriptor when its loop waits.
        signal.start(Signum::SIGUSR1)?;
        assert_refused(event_loop.run(RunMode::Once), StatusCode::EMFILE);
        signal.stop();
        assert!(trace.is_empty() && event_loop.is_alive() && timer.is_active());
    }
    // Loops that do not have to wait go on, and so does the one that has a poller.
    let idle = Idle::new(&event_loop)?;
    idle.start_with(traces(&trace, "idle"))?;
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "idle");
    idle.close();
    let in_other = Timer::new(&in_use)?;
    in_other.start_with(1, 0, traces(&trace, "in-other"))?;
    in_use.run(RunMode::Once)?;
    assert!(trace.take().contains("in-other"));

    held.borrow_mut().clear();
    timer.start_with(1, 0, traces(&trace, "again"))?;
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "again");
    let other = Descriptor::open("other")?;
    Poll::new(&event_loop, &other)?;
    signal.start(Signum::SIGUSR1)?;
    held.borrow_mut().push(clients.accept()?);

    for event_loop in [&event_loop, &in_use] {
        event_loop.handles().iter().for_each(Handle::close);
        event_loop.run(RunMode::Default)?;
        event_loop.close()?;
    }
    println!("end");
    Ok(())
}
