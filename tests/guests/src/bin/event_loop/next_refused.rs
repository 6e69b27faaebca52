//! The refusals of `begin`, `next` and `wait`. With the bare interfaces: the SDK never causes them.

use std::ops::ControlFlow;
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::{NOTHING, assert_code, go_on, next_callbacks};

use uv::batch::{self, BatchStep, key};
use uv::blocking::wait;
use uv::event_loop::{Loop, Run, Step};
use uv::idle::Idle;
use uv::types::{Error, ErrorCode, EventKind, RunMode};

fn next(key: u64, max: u32) -> Result<BatchStep, Error> {
    batch::next(key, max, None, None, &[])
}

/// A finished run answers nothing more, in any form.
fn assert_finished(run: &Run, old_key: u64) {
    assert_code(run.next(), ErrorCode::Einval);
    assert_code(wait(run), ErrorCode::Einval);
    for key in [old_key, key(run)] {
        assert_eq!(next_callbacks(key), NOTHING);
        assert_code(next(key, 1), ErrorCode::Einval);
    }
}

pub fn main() {
    for no_key in [0, 1, u64::MAX] {
        assert_eq!(next_callbacks(no_key), NOTHING);
        assert_code(next(no_key, 1), ErrorCode::Einval);
    }
    let event_loop = Loop::create().unwrap();
    let idle = Idle::create(&event_loop, u64::MAX).unwrap();
    idle.start().unwrap();
    let run = event_loop.begin(RunMode::Once).unwrap();
    for mode in [RunMode::Default, RunMode::Once, RunMode::Nowait] {
        assert_code(event_loop.begin(mode), ErrorCode::Ebusy);
    }
    let key_of_run = key(&run);
    assert_eq!(key(&run), key_of_run);
    assert_code(next(key_of_run, 0), ErrorCode::Einval);
    assert_code(event_loop.close(), ErrorCode::Ebusy);

    // The refused calls have not changed the run. The maximum is one: more events are allowed, never none.
    match next(key_of_run, u32::MAX).unwrap() {
        BatchStep::Event(event) => {
            assert_eq!(event.token, u64::MAX);
            assert!(matches!(event.kind, EventKind::Callback));
        }
        other => panic!("one idle handle is active: {other:?}"),
    }
    assert_code(event_loop.begin(RunMode::Once), ErrorCode::Ebusy);
    assert_code(next(key_of_run, 0), ErrorCode::Einval);
    wait(&run).unwrap(); // In a callback the run does not wait.
    assert!(matches!(run.next(), Ok(Step::Finished(true))));
    assert_finished(&run, key_of_run);

    // A finished run does not disturb the next run of its loop.
    let second = event_loop.begin(RunMode::Once).unwrap();
    assert_finished(&run, key_of_run);
    assert!(matches!(go_on(&second), Ok(ControlFlow::Continue(event)) if event.token == u64::MAX));
    assert_finished(&run, key_of_run);
    assert!(matches!(go_on(&second), Ok(ControlFlow::Break(true))));

    // A run that is dropped in its callback is over, and so is its key.
    let third = event_loop.begin(RunMode::Once).unwrap();
    assert!(matches!(go_on(&third), Ok(ControlFlow::Continue(_))));
    let key_of_third = key(&third);
    drop(third);
    assert_eq!(next_callbacks(key_of_third), NOTHING);
    assert_code(next(key_of_third, 1), ErrorCode::Einval);

    // A closed loop begins no run; a finished run stays finished.
    drop(idle);
    event_loop.close().unwrap();
    assert!(matches!(event_loop.begin(RunMode::Default), Err(Error::LoopClosed)));
    assert_finished(&run, key_of_run);
    drop(event_loop);
    assert_finished(&run, key_of_run);

    // The loop of a run is dropped: also another loop in its place is not the run's.
    let event_loop = Loop::create().unwrap();
    let run = event_loop.begin(RunMode::Default).unwrap();
    let key_of_run = key(&run);
    drop(event_loop);
    let other = Loop::create().unwrap();
    let other_run = other.begin(RunMode::Default).unwrap();
    assert!(matches!(run.next(), Err(Error::LoopClosed)));
    assert!(matches!(wait(&run), Err(Error::LoopClosed)));
    assert_eq!(next_callbacks(key_of_run), NOTHING);
    assert!(matches!(next(key_of_run, 1), Err(Error::LoopClosed)));
    drop(run);
    assert_code(next(key_of_run, 1), ErrorCode::Einval);
    assert!(matches!(other_run.next(), Ok(Step::Finished(false))));
}
