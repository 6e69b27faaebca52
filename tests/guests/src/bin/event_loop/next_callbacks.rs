//! `batch.next-callbacks`: what it brings, and how `batch.next` brings everything else after it. With the
//! bare interfaces.

use std::ops::ControlFlow;
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::{NO_TOKEN, NOTHING, assert_code, events, go_on, next_callbacks};

use uv::batch::{self, BatchStep, RunKey, advance};
use uv::blocking::wait;
use uv::event_loop::{Loop, Run, Step};
use uv::handle::{AnyHandle, active, close};
use uv::idle::Idle;
use uv::prepare::Prepare;
use uv::timer::Timer;
use uv::types::{Error, ErrorCode, EventKind, RunMode};

/// A run of one iteration that does not wait, with its key.
fn begin(event_loop: &Loop) -> (Run, RunKey) {
    let run = event_loop.begin(RunMode::Nowait).unwrap();
    let key = batch::key(&run);
    (run, key)
}

fn next(key: RunKey) -> Result<BatchStep, Error> {
    batch::next(key, 8, None, None, &[])
}

/// Everything up to the end of the run, each in the brief form if it can be.
fn rest((run, key): (Run, RunKey)) -> Vec<u64> {
    let mut tokens = Vec::new();
    loop {
        match next_callbacks(key) {
            NOTHING => match next(key).unwrap() {
                BatchStep::Finished(_) => return tokens,
                BatchStep::Wait => wait(&run).unwrap(),
                step => tokens.extend(events(step).iter().map(|event| event.token)),
            },
            (first, NO_TOKEN) => tokens.push(first),
            (first, second) => tokens.extend([first, second]),
        }
    }
}

/// Begins runs until one brings this at first: whether two callbacks come together is the host's affair.
fn until(event_loop: &Loop, expected: (u64, u64)) -> (Run, RunKey) {
    loop {
        let run = begin(event_loop);
        let brought = next_callbacks(run.1);
        if brought == expected {
            return run;
        }
        assert_eq!(brought, (expected.0, NO_TOKEN));
        assert_eq!(rest(run), [expected.1]);
    }
}

pub fn main() {
    let event_loop = Loop::create().unwrap();
    let idle = Idle::create(&event_loop, 1).unwrap();
    idle.start().unwrap();
    let (run, key) = begin(&event_loop);
    assert_eq!(next_callbacks(key), (1, NO_TOKEN));
    // The end of the run is left for the other form.
    assert_eq!(next_callbacks(key), NOTHING);
    assert_eq!(next_callbacks(key), NOTHING);
    assert!(matches!(next(key), Ok(BatchStep::Finished(true))));
    assert_code(next(key), ErrorCode::Einval);
    drop(run);

    // The end of a run is left, and the next run does not begin with it.
    let (first, key) = begin(&event_loop);
    assert_eq!(next_callbacks(key), (1, NO_TOKEN));
    assert_eq!(next_callbacks(key), NOTHING);
    assert_eq!(rest(begin(&event_loop)), [1]);
    assert!(matches!(first.next(), Ok(Step::Finished(true))));
    assert_code(first.next(), ErrorCode::Einval);
    drop(first);

    // Tokens that stand for none, or have no room.
    for token in [NO_TOKEN, NO_TOKEN + 1, 1 << 32 | 1, u64::MAX] {
        let nameless = Idle::create(&event_loop, token).unwrap();
        nameless.start().unwrap();
        assert_eq!(rest(begin(&event_loop)), [token, 1]);
        idle.stop();
        idle.start().unwrap();
        assert_eq!(rest(begin(&event_loop)), [1, token]);
        idle.stop();
        let run = begin(&event_loop);
        assert_eq!(next_callbacks(run.1), NOTHING);
        assert_eq!(rest(run), [token]);
        idle.start().unwrap();
    }
    let highest = Idle::create(&event_loop, NO_TOKEN - 1).unwrap();
    highest.start().unwrap();
    idle.stop();
    let run = begin(&event_loop);
    assert_eq!(next_callbacks(run.1), (NO_TOKEN - 1, NO_TOKEN));
    assert_eq!(rest(run), []);
    drop(highest);
    idle.start().unwrap();

    // Two: the second is withdrawn by what the first does, and is there again if it is still due.
    let prepare = Prepare::create(&event_loop, 2).unwrap();
    prepare.start().unwrap();
    let run = until(&event_loop, (1, 2));
    advance(run.1, 0, None, &[]);
    prepare.stop();
    assert_eq!(rest(run), []);
    prepare.start().unwrap();
    let run = until(&event_loop, (1, 2));
    advance(run.1, 0, None, &[]);
    assert_eq!(rest(run), [2]);
    assert_eq!(rest(until(&event_loop, (1, 2))), []);

    // A timer that is called has been stopped.
    let timers = [3, 4, 5, 6].map(|token| {
        let timer = Timer::create(&event_loop, token).unwrap();
        timer.start(0, 0).unwrap();
        timer
    });
    idle.stop();
    prepare.stop();
    assert_eq!(rest(begin(&event_loop)), [3, 4, 5, 6]);
    assert!(timers.iter().all(|timer| !active(&AnyHandle::Timer(timer))));

    // An event that is no callback is left, and a run of another loop does not take it.
    close(&AnyHandle::Timer(&timers[0]));
    let (run, key) = begin(&event_loop);
    assert_eq!(next_callbacks(key), NOTHING);
    let other = Loop::create().unwrap();
    let inner = Idle::create(&other, 7).unwrap();
    inner.start().unwrap();
    let (other_run, other_key) = begin(&other);
    assert_eq!(next_callbacks(other_key), (7, NO_TOKEN));
    assert_eq!(next_callbacks(key), NOTHING);
    assert!(matches!(next(other_key), Ok(BatchStep::Finished(true))));
    drop(other_run);
    match run.next() {
        Ok(Step::Event(event)) => assert!(event.token == 3 && matches!(event.kind, EventKind::Closed)),
        unexpected => panic!("{unexpected:?}"),
    }
    assert_eq!(rest((run, key)), []);

    // A callback that is left is withdrawn by closing or dropping its handle, and by nothing else.
    let again = Timer::create(&event_loop, NO_TOKEN).unwrap();
    for withdraws in [false, true] {
        again.start(0, 0).unwrap();
        let (run, key) = begin(&event_loop);
        assert_eq!(next_callbacks(key), NOTHING);
        if withdraws {
            close(&AnyHandle::Timer(&again));
            assert_eq!(next_callbacks(key), NOTHING);
        }
        again.stop();
        match next(key) {
            Ok(BatchStep::Event(event)) => {
                assert!(!withdraws && matches!(event.kind, EventKind::Callback));
                assert_eq!(rest((run, key)), []);
            }
            Ok(BatchStep::Finished(alive)) => assert!(withdraws && alive, "its close callback is to come"),
            unexpected => panic!("{unexpected:?}"),
        }
    }
    assert_eq!(rest(begin(&event_loop)), [NO_TOKEN]);
    drop(again);

    // The loop is dropped while something of it is left.
    close(&AnyHandle::Timer(&timers[1]));
    let (run, key) = begin(&event_loop);
    assert_eq!(next_callbacks(key), NOTHING);
    drop(event_loop);
    assert_eq!(next_callbacks(key), NOTHING);
    assert!(matches!(next(key), Err(Error::LoopClosed)));
    drop(run);
    let (run, key) = begin(&other);
    assert!(matches!(go_on(&run), Ok(ControlFlow::Continue(event)) if event.token == 7));
    assert_eq!(rest((run, key)), []);
}
