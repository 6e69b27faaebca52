//! `pull-callbacks`: what it brings, and how what it can not bring comes after it. With the bare interfaces.

use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::{NO_TOKEN, NOTHING, events, pull_callbacks};

use uv::batch::advance;
use uv::blocking::{Pulled, pull, pull_next};
use uv::event_loop::Loop;
use uv::handle::{AnyHandle, active, close};
use uv::idle::Idle;
use uv::prepare::Prepare;
use uv::timer::Timer;
use uv::types::{Error, Occurrence, RunMode, StatusCode};

/// Everything up to the end of the run, each in the brief form if it can be.
fn rest() -> Vec<u64> {
    let mut tokens = Vec::new();
    loop {
        match pull_callbacks() {
            NOTHING => match pull_next(8, u32::MAX, None, &[]).unwrap() {
                Pulled::Finished(_) => return tokens,
                pulled => tokens.extend(events(pulled).iter().map(|event| event.token)),
            },
            (first, NO_TOKEN) => tokens.push(first),
            (first, second) => tokens.extend([first, second]),
        }
    }
}

/// Begins runs until one brings this at first: whether two callbacks come together is the host's affair.
fn until(event_loop: &Loop, expected: (u64, u64)) {
    loop {
        event_loop.begin(RunMode::Nowait).unwrap();
        let brought = pull_callbacks();
        if brought == expected {
            return;
        }
        assert_eq!(brought, (expected.0, NO_TOKEN));
        assert_eq!(rest(), [expected.1]);
    }
}

pub fn main() {
    let event_loop = Loop::create().unwrap();
    // Which loop is meant is what `pull` has said.
    event_loop.begin(RunMode::Nowait).unwrap();
    assert!(matches!(pull(&event_loop, 1), Ok(Pulled::Finished(false))));

    let idle = Idle::create(&event_loop, 1).unwrap();
    idle.start().unwrap();
    event_loop.begin(RunMode::Nowait).unwrap();
    assert_eq!(pull_callbacks(), (1, NO_TOKEN));
    // The end of the run waits for the other form.
    assert_eq!(pull_callbacks(), NOTHING);
    assert_eq!(pull_callbacks(), NOTHING);
    assert!(matches!(pull_next(1, 0, None, &[]), Ok(Pulled::Finished(true))));
    assert!(matches!(pull_next(1, 0, None, &[]), Err(Error::Status(StatusCode::Einval))));

    // Nobody asks for it: the next run does not begin with the end of the one before.
    event_loop.begin(RunMode::Nowait).unwrap();
    assert_eq!(pull_callbacks(), (1, NO_TOKEN));
    assert_eq!(pull_callbacks(), NOTHING);
    event_loop.begin(RunMode::Nowait).unwrap();
    assert_eq!(rest(), [1]);

    // Tokens that stand for none, or have no room.
    for token in [NO_TOKEN, NO_TOKEN + 1, 1 << 32 | 1, u64::MAX] {
        let nameless = Idle::create(&event_loop, token).unwrap();
        nameless.start().unwrap();
        event_loop.begin(RunMode::Nowait).unwrap();
        assert_eq!(rest(), [token, 1]);
        idle.stop();
        idle.start().unwrap();
        event_loop.begin(RunMode::Nowait).unwrap();
        assert_eq!(rest(), [1, token]);
        idle.stop();
        event_loop.begin(RunMode::Nowait).unwrap();
        assert_eq!(pull_callbacks(), NOTHING);
        assert_eq!(rest(), [token]);
        idle.start().unwrap();
    }
    let highest = Idle::create(&event_loop, NO_TOKEN - 1).unwrap();
    highest.start().unwrap();
    idle.stop();
    event_loop.begin(RunMode::Nowait).unwrap();
    assert_eq!(pull_callbacks(), (NO_TOKEN - 1, NO_TOKEN));
    assert_eq!(rest(), []);
    drop(highest);
    idle.start().unwrap();

    // Two: the second is withdrawn by what the first does, and is there again if it is still due.
    let prepare = Prepare::create(&event_loop, 2).unwrap();
    prepare.start().unwrap();
    until(&event_loop, (1, 2));
    advance(0, None, &[]);
    prepare.stop();
    assert_eq!(rest(), []);
    prepare.start().unwrap();
    until(&event_loop, (1, 2));
    advance(0, None, &[]);
    assert_eq!(rest(), [2]);
    until(&event_loop, (1, 2));
    assert_eq!(rest(), []);

    // A timer that is called has been stopped, one whose callback has been pulled and not brought too.
    let timers = [3, 4, 5, 6].map(|token| {
        let timer = Timer::create(&event_loop, token).unwrap();
        timer.start(0, 0).unwrap();
        timer
    });
    idle.stop();
    prepare.stop();
    event_loop.begin(RunMode::Nowait).unwrap();
    assert_eq!(rest(), [3, 4, 5, 6]);
    assert!(timers.iter().all(|timer| !active(&AnyHandle::Timer(timer))));

    // An event that is no callback, and another loop that is pulled in between.
    close(&AnyHandle::Timer(&timers[0]));
    event_loop.begin(RunMode::Nowait).unwrap();
    assert_eq!(pull_callbacks(), NOTHING);
    let other = Loop::create().unwrap();
    let inner = Idle::create(&other, 7).unwrap();
    inner.start().unwrap();
    other.begin(RunMode::Nowait).unwrap();
    assert!(matches!(pull(&other, 1), Ok(Pulled::Event(event)) if event.token == 7));
    assert_eq!(pull_callbacks(), NOTHING, "that of the first loop still waits");
    assert!(matches!(pull_next(1, 0, None, &[]), Ok(Pulled::Finished(true))));
    match pull(&event_loop, 8) {
        Ok(Pulled::Event(event)) => {
            assert!(event.token == 3 && matches!(event.what, Occurrence::Closed));
        }
        unexpected => panic!("{unexpected:?}"),
    }
    assert_eq!(rest(), []);

    // A callback that waits to be brought is withdrawn by closing or dropping its handle, and by nothing else.
    let again = Timer::create(&event_loop, NO_TOKEN).unwrap();
    for withdraws in [false, true] {
        again.start(0, 0).unwrap();
        event_loop.begin(RunMode::Nowait).unwrap();
        assert_eq!(pull_callbacks(), NOTHING);
        if withdraws {
            close(&AnyHandle::Timer(&again));
            assert_eq!(pull_callbacks(), NOTHING);
        }
        again.stop();
        match pull_next(1, 0, None, &[]) {
            Ok(Pulled::Event(event)) => {
                assert!(!withdraws && matches!(event.what, Occurrence::Callback));
                assert_eq!(rest(), []);
            }
            Ok(Pulled::Finished(alive)) => assert!(withdraws && alive, "its close callback is to come"),
            unexpected => panic!("{unexpected:?}"),
        }
    }
    event_loop.begin(RunMode::Nowait).unwrap();
    assert_eq!(rest(), [NO_TOKEN]);
    drop(again);

    // The loop goes while something of it waits.
    close(&AnyHandle::Timer(&timers[1]));
    event_loop.begin(RunMode::Nowait).unwrap();
    assert_eq!(pull_callbacks(), NOTHING);
    drop(event_loop);
    other.begin(RunMode::Nowait).unwrap();
    assert!(matches!(pull(&other, 1), Ok(Pulled::Event(event)) if event.token == 7));
    assert_eq!(rest(), []);
}
