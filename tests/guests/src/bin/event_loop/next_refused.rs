//! What `pull` and `begin` refuse. With the bare interfaces: the SDK never does any of this.

use uv_handles::bindings::uv::handles::blocking::{Pulled, pull, pull_next};
use uv_handles::bindings::uv::handles::event_loop::Loop;
use uv_handles::bindings::uv::handles::idle::Idle;
use uv_handles::bindings::uv::handles::types::{Error, Occurrence, RunMode, StatusCode};
use uv_handles_test_guests::{NOTHING, pull_callbacks};

fn refused<T>(result: Result<T, Error>) -> StatusCode {
    match result {
        Err(Error::Status(code)) => code,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("accepted"),
    }
}

pub fn main() {
    assert_eq!(pull_callbacks(), NOTHING);
    assert_eq!(refused(pull_next(1, 0, None, &[])), StatusCode::Einval, "nothing has been pulled");
    let event_loop = Loop::create().unwrap();
    assert_eq!(refused(pull(&event_loop, 1)), StatusCode::Einval, "no run has been started");
    assert_eq!(refused(pull(&event_loop, 0)), StatusCode::Einval);

    let idle = Idle::create(&event_loop, u64::MAX).unwrap();
    idle.start().unwrap();
    event_loop.begin(RunMode::Once).unwrap();
    for mode in [RunMode::Default, RunMode::Once, RunMode::Nowait] {
        assert_eq!(refused(event_loop.begin(mode)), StatusCode::Ebusy);
    }
    assert_eq!(refused(pull(&event_loop, 0)), StatusCode::Einval);
    assert_eq!(refused(event_loop.close()), StatusCode::Ebusy);

    // None of that has changed the run. The maximum is one: more events are allowed, never none.
    match pull(&event_loop, u32::MAX).unwrap() {
        Pulled::Event(event) => {
            assert_eq!(event.token, u64::MAX);
            assert!(matches!(event.what, Occurrence::Callback));
        }
        other => panic!("one idle handle is active: {other:?}"),
    }
    assert_eq!(refused(event_loop.begin(RunMode::Once)), StatusCode::Ebusy, "inside the callback");
    assert_eq!(refused(pull_next(0, 0, None, &[])), StatusCode::Einval);
    assert!(matches!(pull_next(1, 0, None, &[]), Ok(Pulled::Finished(true))));
    assert_eq!(refused(pull(&event_loop, 1)), StatusCode::Einval, "the run is over");
    // An error is kept for whoever can be told.
    assert_eq!(pull_callbacks(), NOTHING);
    assert_eq!(refused(pull_next(1, 0, None, &[])), StatusCode::Einval);

    drop(idle);
    event_loop.close().unwrap();
    assert!(matches!(event_loop.begin(RunMode::Default), Err(Error::LoopClosed)));
    assert!(matches!(pull(&event_loop, 1), Err(Error::LoopClosed)));
    assert!(matches!(pull_next(1, 0, None, &[]), Err(Error::LoopClosed)));
    assert_eq!(pull_callbacks(), NOTHING);
    assert_eq!(pull_callbacks(), NOTHING);
    drop(event_loop);
    let next = Loop::create().unwrap();
    next.begin(RunMode::Default).unwrap();
    assert_eq!(
        refused(pull_next(1, 0, None, &[])),
        StatusCode::Einval,
        "another loop, perhaps in the place of the first"
    );
}
