//! Loops and handles dropped in every order, also in the middle of a run. With the bare interfaces:
//! in the SDK a handle keeps its loop.

use uv_handles::bindings::uv::handles::async_handle::AsyncHandle;
use uv_handles::bindings::uv::handles::blocking::{Pulled, pull};
use uv_handles::bindings::uv::handles::event_loop::Loop;
use uv_handles::bindings::uv::handles::handle::{self, AnyHandle};
use uv_handles::bindings::uv::handles::timer::Timer;
use uv_handles::bindings::uv::handles::types::{Error, RunMode};

/// The next callback's token.
fn next(event_loop: &Loop) -> Option<u64> {
    match pull(event_loop, 1).unwrap() {
        Pulled::Event(event) => Some(event.token),
        Pulled::Finished(_) => None,
        several => panic!("one event was asked for: {several:?}"),
    }
}

fn three_timers(event_loop: &Loop) -> [Timer; 3] {
    [0, 1, 2].map(|token| {
        let timer = Timer::create(event_loop, token).unwrap();
        timer.start(10, 10).unwrap();
        timer
    })
}

pub fn main() {
    // The loop first: what is left of its handles answers as if they were closed.
    let event_loop = Loop::create().unwrap();
    let [a, b, c] = three_timers(&event_loop);
    let wake_up = AsyncHandle::create(&event_loop, 3).unwrap();
    drop(event_loop);
    let other = Loop::create().unwrap();
    let _in_other = three_timers(&other);
    assert!(matches!(a.start(1, 0), Err(Error::HandleClosed)));
    assert!(matches!(b.due_in(), Err(Error::HandleClosed)));
    assert!(matches!(wake_up.send(), Err(Error::HandleClosed)));
    for timer in [&a, &b, &c] {
        timer.stop();
        handle::close(&AnyHandle::Timer(timer));
        assert!(!handle::active(&AnyHandle::Timer(timer)));
        assert!(handle::closing(&AnyHandle::Timer(timer)));
        assert!(!handle::referenced(&AnyHandle::Timer(timer)));
    }
    drop(b);
    drop(a);
    drop(wake_up);
    drop(c);
    assert_eq!(other.handles(), [0, 1, 2], "another loop's handles are not touched");
    drop(other);

    // In a callback: a handle, one that is due as well, one that is closing, and then the loop.
    for victim in 0..3 {
        let event_loop = Loop::create().unwrap();
        let mut timers = three_timers(&event_loop).map(Some);
        event_loop.begin(RunMode::Default).unwrap();
        assert_eq!(next(&event_loop), Some(0));
        timers[victim] = None;
        let rest: Vec<u64> = (1..3).filter(|&token| token != victim as u64).collect();
        for token in rest {
            assert_eq!(next(&event_loop), Some(token), "without {victim}");
        }
        if let Some(timer) = &timers[(victim + 1) % 3] {
            handle::close(&AnyHandle::Timer(timer));
        }
        timers[(victim + 1) % 3] = None;
        assert_eq!(next(&event_loop), Some((victim as u64 + 2) % 3), "the only one that is left");
        drop(event_loop);
        drop(timers);
    }

    // In the callback of the only handle: that handle, and then the loop.
    let event_loop = Loop::create().unwrap();
    let only = Timer::create(&event_loop, 0).unwrap();
    only.start(10, 0).unwrap();
    event_loop.begin(RunMode::Default).unwrap();
    assert_eq!(next(&event_loop), Some(0));
    drop(only);
    drop(event_loop);

    // A run that was begun, and never pulled.
    let event_loop = Loop::create().unwrap();
    let timers = three_timers(&event_loop);
    event_loop.begin(RunMode::Default).unwrap();
    drop(event_loop);
    drop(timers);

    // The place of a dropped loop is used again, and nothing of it is left.
    for _ in 0..1000 {
        let event_loop = Loop::create().unwrap();
        let [a, _b, c] = three_timers(&event_loop);
        assert_eq!(event_loop.handles(), [0, 1, 2]);
        drop(a);
        drop(event_loop);
        drop(c);
    }
}
