//! Loops and handles dropped in every order, also in the middle of a run. With the bare interfaces:
//! in the SDK a handle keeps its loop.

use uv_handles::bindings::uv::handles::async_handle::AsyncHandle;
use uv_handles::bindings::uv::handles::blocking::wait;
use uv_handles::bindings::uv::handles::event_loop::{Loop, Run};
use uv_handles::bindings::uv::handles::handle::{self, AnyHandle};
use uv_handles::bindings::uv::handles::timer::Timer;
use uv_handles::bindings::uv::handles::types::{Error, RunMode};
use uv_handles_test_guests::go_on;

/// The next callback's token.
fn next(run: &Run) -> Option<u64> {
    go_on(run).unwrap().continue_value().map(|event| event.token)
}

/// A run whose loop is gone has nothing more to bring.
fn assert_stale(run: &Run) {
    assert!(matches!(run.next(), Err(Error::LoopClosed)));
    assert!(matches!(wait(run), Err(Error::LoopClosed)));
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
        let run = event_loop.begin(RunMode::Default).unwrap();
        assert_eq!(next(&run), Some(0));
        timers[victim] = None;
        let rest: Vec<u64> = (1..3).filter(|&token| token != victim as u64).collect();
        for token in rest {
            assert_eq!(next(&run), Some(token), "without {victim}");
        }
        if let Some(timer) = &timers[(victim + 1) % 3] {
            handle::close(&AnyHandle::Timer(timer));
        }
        timers[(victim + 1) % 3] = None;
        assert_eq!(next(&run), Some((victim as u64 + 2) % 3), "the only one that is left");
        drop(event_loop);
        assert_stale(&run);
        // The run before or after its handles.
        if victim == 0 {
            drop(timers);
        } else {
            drop(run);
        }
    }

    // In the callback of the only handle: that handle, and then the loop.
    let event_loop = Loop::create().unwrap();
    let only = Timer::create(&event_loop, 0).unwrap();
    only.start(10, 0).unwrap();
    let run = event_loop.begin(RunMode::Default).unwrap();
    assert_eq!(next(&run), Some(0));
    drop(only);
    drop(event_loop);
    assert_stale(&run);
    drop(run);

    // A run that was begun, and never went on.
    let event_loop = Loop::create().unwrap();
    let timers = three_timers(&event_loop);
    let run = event_loop.begin(RunMode::Default).unwrap();
    drop(event_loop);
    assert_stale(&run);
    drop(timers);
    assert_stale(&run);

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
