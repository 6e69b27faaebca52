//! Runs a loop inside its own callback, and loops inside the callbacks of others, as deep as there are
//! loops; the outermost goes on while the others wait in their callbacks.

use uv::blocking::{Pulled, pull};
use uv::event_loop::Loop;
use uv::timer::Timer;
use uv::types::{Occurrence, RunMode, StatusCode};
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::assert_status;

const LOOPS: u64 = 64;

fn pull_one(event_loop: &Loop) -> u64 {
    match pull(event_loop, u32::MAX).unwrap() {
        Pulled::Event(event) => {
            assert!(matches!(event.what, Occurrence::Callback), "{event:?}");
            event.token
        }
        other => panic!("one timer is due: {other:?}"),
    }
}

pub fn main() {
    let all: Vec<(Loop, Timer)> = (0..LOOPS)
        .map(|token| {
            let event_loop = Loop::create().unwrap();
            let timer = Timer::create(&event_loop, token).unwrap();
            timer.start(0, 1).unwrap();
            (event_loop, timer)
        })
        .collect();
    for (token, (event_loop, _)) in all.iter().enumerate() {
        event_loop.begin(RunMode::Default).unwrap();
        assert_eq!(pull_one(event_loop), token as u64);
        for mode in [RunMode::Default, RunMode::Once, RunMode::Nowait] {
            all[..=token].iter().for_each(|(outer, _)| assert_status(outer.begin(mode), StatusCode::Ebusy));
        }
        assert_status(event_loop.close(), StatusCode::Ebusy);
    }
    // Each of them, in any order, goes on from where it is.
    for round in 1..=20 {
        let step = (round * 2 + 1) % LOOPS;
        for at in 0..LOOPS {
            let token = at * step % LOOPS;
            assert_eq!(pull_one(&all[token as usize].0), token);
        }
    }
    // Half of them are stopped and end; the others vanish in the middle of their runs.
    for (event_loop, timer) in all.iter().step_by(2) {
        event_loop.stop();
        timer.stop();
        while let Pulled::Event(_) = pull(event_loop, 1).unwrap() {}
        assert_status(pull(event_loop, 1), StatusCode::Einval);
    }
}
