//! In a composed guest, features that the adapter does not have return an error value. Everything else works.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Async, Descriptor, Error, Handle, Loop, RunMode, Signal, Signum, StatusCode, Timer};
use uv_handles_test_guests::assert_refused;

pub fn main() -> uv_handles::Result<()> {
    let event_loop = Loop::new()?;

    let signal = Signal::new(&event_loop)?;
    assert_refused(signal.start(Signum::SIGINT), StatusCode::ENOSYS);
    assert_refused(signal.start_oneshot(Signum::SIGHUP), StatusCode::ENOSYS);
    assert_refused(signal.start(Signum::new(0)), StatusCode::EINVAL);
    assert!(!signal.is_active());
    signal.close();
    assert_eq!(signal.start(Signum::SIGINT), Err(Error::HandleClosed));

    assert_refused(Descriptor::open("stdin"), StatusCode::ENOENT);
    assert_refused(Async::named(&event_loop, "reload"), StatusCode::ENOENT);

    // Nothing can send this one while the loop waits: the run is over, and the loop is not.
    let wake_up = Async::new(&event_loop)?;
    assert_refused(event_loop.run(RunMode::Default), StatusCode::ECANCELED);
    assert_refused(event_loop.run(RunMode::Once), StatusCode::ECANCELED);
    assert!(event_loop.run(RunMode::NoWait)?, "a run that does not wait is none of that");

    let called = Rc::new(Cell::new(false));
    let (sender, was_called) = (wake_up.clone(), called.clone());
    let timer = Timer::new(&event_loop)?;
    timer.start_with(10, 0, move |timer| {
        let was_called = was_called.clone();
        let sent = sender.send_with(move |wake_up| {
            was_called.set(true);
            wake_up.close();
        });
        sent.unwrap();
        timer.close();
    })?;
    assert!(!event_loop.run(RunMode::Default)?);
    assert!(called.get());
    event_loop.close()?;
    println!("refused as documented");
    Ok(())
}
