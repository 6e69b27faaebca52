//! `blocking-batch`: its functions bring what those of `batch` bring, and wait where those answer `wait`.
//! With the bare interfaces.

use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::{
    NO_TOKEN, NOTHING, assert_code, blocking_next_callbacks, events, next_callbacks,
};

use uv::async_handle::AsyncHandle;
use uv::batch::Operation::{Close, OpenAndStart};
use uv::batch::{BatchStep, Change, OpenAndStartTimer, Operation, RunKey, TimerPool, key};
use uv::blocking_batch;
use uv::event_loop::{Loop, Step};
use uv::handle::{AnyHandle, active, close};
use uv::timer::Timer;
use uv::types::{Error, ErrorCode, EventKind, RunMode};

fn next(key: RunKey) -> Result<BatchStep, Error> {
    blocking_batch::next(key, 8, None, None, &[])
}

/// The events of the next step, which is neither a wait nor the end of the run.
fn tokens(step: Result<BatchStep, Error>) -> Vec<u64> {
    let events = events(step.unwrap());
    assert!(!events.is_empty());
    events.iter().map(|event| event.token).collect()
}

fn changes(operation: Operation) -> [Change; 1] {
    [Change { position: 0, operation }]
}

pub fn main() {
    for no_key in [0, 1, u64::MAX] {
        assert_code(next(no_key), ErrorCode::Einval);
    }
    let event_loop = Loop::create().unwrap();
    let far = Timer::create(&event_loop, 9).unwrap();
    far.start(60 * 60 * 1000, 0).unwrap();
    let near = Timer::create(&event_loop, 1).unwrap();

    // It waits for a timer, and brings its callback with the same call.
    near.start(20, 0).unwrap();
    let begin = event_loop.now().unwrap();
    let run = event_loop.begin(RunMode::Default).unwrap();
    let run_key = key(&run);
    assert_code(blocking_batch::next(run_key, 0, None, None, &[]), ErrorCode::Einval);
    assert_eq!(tokens(next(run_key)), [1]);
    assert!(event_loop.now().unwrap() >= begin + 20);

    // An async handle that the callback sends ends the wait at once.
    let handle = AsyncHandle::create(&event_loop, 2).unwrap();
    handle.send().unwrap();
    assert_eq!(tokens(next(run_key)), [2]);
    assert!(active(&AnyHandle::Timer(&far)));

    // The changes are flushed before the wait: the timer that ends it is started by them.
    let pool = TimerPool::create().unwrap();
    let (_timer, timer) = pool.allocate(&event_loop, 1).unwrap().pop().unwrap();
    let start = OpenAndStartTimer { timer, token: 3, timeout: 10, repeat: 0 };
    let begin = event_loop.now().unwrap();
    let step = blocking_batch::next(run_key, 8, Some(0), Some(&pool), &changes(OpenAndStart(start)));
    assert_eq!(tokens(step), [3]);
    assert!(event_loop.now().unwrap() >= begin + 10);
    let step = blocking_batch::next(run_key, 8, Some(0), Some(&pool), &changes(Close(timer)));
    assert!(
        matches!(step, Ok(BatchStep::Event(event)) if event.token == 3 && matches!(event.kind, EventKind::Closed))
    );

    // Several callbacks that become due in the wait come in their order, however many with a call.
    let timers = [10, 11, 12, 13, 14].map(|token| {
        let timer = Timer::create(&event_loop, token).unwrap();
        timer.start(5, 0).unwrap();
        timer
    });
    let mut brought = Vec::new();
    while brought.len() < timers.len() {
        brought.extend(tokens(next(run_key)));
    }
    assert_eq!(brought, [10, 11, 12, 13, 14]);

    // An answer that the short form has left comes first, also a wait. In virtual time none is left.
    near.start(20, 0).unwrap();
    match next_callbacks(run_key) {
        NOTHING => assert_eq!(tokens(next(run_key)), [1]),
        brought => assert_eq!(brought, (1, NO_TOKEN)),
    }

    // The short form waits too, and leaves what it cannot bring for `next`: the event of another kind,
    // and the end of the run. An unknown key brings nothing.
    assert_eq!(blocking_next_callbacks(0), NOTHING);
    near.start(20, 0).unwrap();
    let begin = event_loop.now().unwrap();
    assert_eq!(blocking_next_callbacks(run_key), (1, NO_TOKEN));
    assert!(event_loop.now().unwrap() >= begin + 20);
    near.start(20, 0).unwrap();
    timers[0].start(20, 0).unwrap();
    match blocking_next_callbacks(run_key) {
        (1, NO_TOKEN) => assert_eq!(blocking_next_callbacks(run_key), (10, NO_TOKEN)),
        both => assert_eq!(both, (1, 10)),
    }
    close(&AnyHandle::Timer(&timers[1]));
    assert_eq!(blocking_next_callbacks(run_key), NOTHING);
    assert_eq!(blocking_next_callbacks(run_key), NOTHING, "until `next` has brought it");
    let step = next(run_key);
    assert!(
        matches!(step, Ok(BatchStep::Event(event)) if event.token == 11 && matches!(event.kind, EventKind::Closed))
    );

    // The end of the run.
    event_loop.stop();
    assert_eq!(blocking_next_callbacks(run_key), NOTHING);
    assert!(matches!(next(run_key), Ok(BatchStep::Finished(true))));
    assert_code(next(run_key), ErrorCode::Einval);
    drop(run);

    // The mode decides whether it waits, and for how many iterations.
    near.start(20, 0).unwrap();
    let run = event_loop.begin(RunMode::Nowait).unwrap();
    assert!(matches!(next(key(&run)), Ok(BatchStep::Finished(true))));
    drop(run);
    let run = event_loop.begin(RunMode::Once).unwrap();
    let run_key = key(&run);
    assert_eq!(tokens(next(run_key)), [1]);
    near.start(20, 0).unwrap();
    assert!(matches!(next(run_key), Ok(BatchStep::Finished(true))));
    drop(run);

    // A run may change between the forms. Without the timer that is far away there is nothing to
    // wait for but the async handle, also in virtual time. A run of a loop that is gone is refused.
    far.stop();
    let run = event_loop.begin(RunMode::Default).unwrap();
    assert_eq!(tokens(next(key(&run))), [1]);
    assert!(matches!(run.next(), Ok(Step::Wait)));
    near.start(5, 0).unwrap();
    assert_eq!(tokens(next(key(&run))), [1]);
    let run_key = key(&run);
    drop(event_loop);
    assert!(matches!(next(run_key), Err(Error::LoopClosed)));
    drop(run);
    assert_code(next(run_key), ErrorCode::Einval);
}
