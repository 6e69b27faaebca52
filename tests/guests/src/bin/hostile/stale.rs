//! Calls handles after they were closed, after their loop was closed or dropped, and from the callbacks of
//! another loop. Each call has an answer, and the other loop goes on.

use uv::async_handle::AsyncHandle;
use uv::blocking::{Pulled, pull};
use uv::event_loop::Loop;
use uv::handle::{self, AnyHandle};
use uv::timer::Timer;
use uv::types::{Error, Event, Occurrence, PollEvents, RunMode, StatusCode};
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::assert_status;

/// The first event of a run that begins now.
fn first_event(event_loop: &Loop) -> Event {
    event_loop.begin(RunMode::Default).unwrap();
    match pull(event_loop, 1).unwrap() {
        Pulled::Event(event) => event,
        other => panic!("one is due: {other:?}"),
    }
}

/// Whatever is called on a closing or closed handle is refused.
fn assert_closed(any: &AnyHandle) {
    handle::close(any);
    assert!(handle::closing(any) && !handle::active(any));
    let refused = [
        handle::reference(any),
        handle::dereference(any),
        handle::set_send_buffer_size(any, 1),
        handle::set_receive_buffer_size(any, 1),
        handle::fileno(any).map(drop),
        handle::send_buffer_size(any).map(drop),
        handle::receive_buffer_size(any).map(drop),
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
    assert_eq!(first_event(&one).token, 1);
    let other = Timer::create(&two, 1).unwrap();
    other.start(0, 0).unwrap();
    assert_eq!(first_event(&two).token, 1);
    all.iter().for_each(assert_closed);
    assert_status(one.close(), StatusCode::Ebusy);
    assert!(matches!(pull(&two, 1), Ok(Pulled::Finished(false))), "the second loop has nothing else");
    let mut closed = Vec::new();
    while let Pulled::Event(event) = pull(&one, 1).unwrap() {
        assert!(matches!(event.what, Occurrence::Closed), "{event:?}");
        closed.push(event.token);
    }
    assert_eq!(closed, [7, 6, 5, 4, 3, 2, 1], "last closed first");

    // After the end of the loop.
    one.close().unwrap();
    all.iter().for_each(assert_closed);
    assert!(all.iter().all(handle::closed));
    assert!(matches!(one.begin(RunMode::Default), Err(Error::LoopClosed)));
    assert!(matches!(pull(&one, 1), Err(Error::LoopClosed)));
    assert!(matches!(Timer::create(&one, 1), Err(Error::LoopClosed)));
    assert!(matches!(uv::poll::Poll::create(&one, 1, &socket), Err(Error::LoopClosed)));
    assert!(matches!(one.now(), Err(Error::LoopClosed)));
    drop(one);
    all.iter().for_each(assert_closed);

    // A loop that is dropped while its handle's close callback runs.
    let third = Loop::create().unwrap();
    let timer = Timer::create(&third, 1).unwrap();
    let late = Timer::create(&third, 2).unwrap();
    handle::close(&AnyHandle::Timer(&timer));
    assert!(matches!(first_event(&third).what, Occurrence::Closed));
    assert!(!handle::closed(&AnyHandle::Timer(&timer)), "its callback runs");
    drop(third);
    for timer in [&timer, &late] {
        assert!(handle::closed(&AnyHandle::Timer(timer)));
        assert_closed(&AnyHandle::Timer(timer));
    }
}
