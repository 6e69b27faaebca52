//! Calls handles after they were closed, after their loop was closed or dropped, and from the callbacks of
//! another loop. Each call has an answer, and the other loop goes on.

use std::ops::ControlFlow;
use uv::async_handle::AsyncHandle;
use uv::batch;
use uv::blocking::wait;
use uv::event_loop::{Loop, Run, Step};
use uv::handle::{self, AnyHandle};
use uv::timer::Timer;
use uv::types::{Error, ErrorCode, Event, EventKind, PollEvents, RunMode};
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::{assert_code, go_on};

/// A run that begins now, and its first event.
fn first_event(event_loop: &Loop) -> (Run, Event) {
    let run = event_loop.begin(RunMode::Default).unwrap();
    let event = go_on(&run).unwrap().continue_value().expect("one is due");
    (run, event)
}

/// Whatever is called on a closing or closed handle is refused.
fn assert_closed(any: &AnyHandle) {
    handle::close(any);
    assert!(handle::closing(any) && !handle::active(any));
    let refused = [
        handle::reference(any),
        handle::dereference(any),
        handle::fileno(any).map(drop),
        match any {
            AnyHandle::Timer(timer) => timer.start(0, 0).and(timer.again()).and(timer.set_repeat(1)),
            AnyHandle::Idle(idle) => idle.start(),
            AnyHandle::Prepare(prepare) => prepare.start(),
            AnyHandle::Check(check) => check.start(),
            AnyHandle::AsyncHandle(handle) => handle.send(),
            AnyHandle::Poll(poll) => poll.start(PollEvents::READABLE),
            AnyHandle::Signal(signal) => signal.start(1).and(signal.start_oneshot(1)),
        },
    ];
    for result in refused {
        assert!(matches!(result, Err(Error::HandleClosed)), "{result:?}");
    }
}

pub fn main() {
    let (one, two) = (Loop::create().unwrap(), Loop::create().unwrap());
    let socket = uv::descriptors::Descriptor::open("socket").unwrap();
    let timer = Timer::create(&one, 1).unwrap();
    let idle = uv::idle::Idle::create(&one, 2).unwrap();
    let prepare = uv::prepare::Prepare::create(&one, 3).unwrap();
    let check = uv::check::Check::create(&one, 4).unwrap();
    let sent = AsyncHandle::create(&one, 5).unwrap();
    let poll = uv::poll::Poll::create(&one, 6, &socket).unwrap();
    let signal = uv::signal::Signal::create(&one, 7).unwrap();
    let all = [
        AnyHandle::Timer(&timer),
        AnyHandle::Idle(&idle),
        AnyHandle::Prepare(&prepare),
        AnyHandle::Check(&check),
        AnyHandle::AsyncHandle(&sent),
        AnyHandle::Poll(&poll),
        AnyHandle::Signal(&signal),
    ];

    // From a callback of the second loop, everything of the first is closed, whose own run waits in a
    // callback too.
    timer.start(0, 0).unwrap();
    idle.start().unwrap();
    poll.start(PollEvents::WRITABLE).unwrap();
    let (run_of_one, event) = first_event(&one);
    assert_eq!(event.token, 1);
    let other = Timer::create(&two, 1).unwrap();
    other.start(0, 0).unwrap();
    let (run_of_two, event) = first_event(&two);
    assert_eq!(event.token, 1);
    all.iter().for_each(assert_closed);
    assert_code(one.close(), ErrorCode::Ebusy);
    assert!(matches!(run_of_two.next(), Ok(Step::Finished(false))), "the second loop has nothing else");
    let mut closed = Vec::new();
    while let ControlFlow::Continue(event) = go_on(&run_of_one).unwrap() {
        assert!(matches!(event.kind, EventKind::Closed), "{event:?}");
        closed.push(event.token);
    }
    assert_eq!(closed, [7, 6, 5, 4, 3, 2, 1], "last closed first");

    // After the end of the loop.
    one.close().unwrap();
    all.iter().for_each(assert_closed);
    assert!(all.iter().all(handle::closed));
    assert!(matches!(one.begin(RunMode::Default), Err(Error::LoopClosed)));
    assert_code(run_of_one.next(), ErrorCode::Einval);
    assert_code(wait(&run_of_one), ErrorCode::Einval);
    assert!(matches!(Timer::create(&one, 1), Err(Error::LoopClosed)));
    assert!(matches!(uv::poll::Poll::create(&one, 1, &socket), Err(Error::LoopClosed)));
    assert!(matches!(one.now(), Err(Error::LoopClosed)));
    drop(one);
    all.iter().for_each(assert_closed);
    assert_code(run_of_one.next(), ErrorCode::Einval);

    // A loop that is dropped while its handle's close callback runs.
    let third = Loop::create().unwrap();
    let timer = Timer::create(&third, 1).unwrap();
    let late = Timer::create(&third, 2).unwrap();
    handle::close(&AnyHandle::Timer(&timer));
    let (run, event) = first_event(&third);
    let key = batch::key(&run);
    assert!(matches!(event.kind, EventKind::Closed));
    assert!(!handle::closed(&AnyHandle::Timer(&timer)), "its callback runs");
    drop(third);
    assert!(matches!(run.next(), Err(Error::LoopClosed)));
    assert!(matches!(wait(&run), Err(Error::LoopClosed)));
    assert!(matches!(batch::next(key, 8, Some(8), None, &[]), Err(Error::LoopClosed)));
    // Another loop is in its place now, and the run has nothing to do with it.
    let fourth = Loop::create().unwrap();
    let due = Timer::create(&fourth, 3).unwrap();
    due.start(0, 0).unwrap();
    let other_run = fourth.begin(RunMode::Default).unwrap();
    assert!(matches!(run.next(), Err(Error::LoopClosed)));
    drop(run);
    assert_code(batch::next(key, 8, None, None, &[]), ErrorCode::Einval);
    assert!(matches!(go_on(&other_run), Ok(ControlFlow::Continue(event)) if event.token == 3));
    for timer in [&timer, &late] {
        assert!(handle::closed(&AnyHandle::Timer(timer)));
        assert_closed(&AnyHandle::Timer(timer));
    }
}
