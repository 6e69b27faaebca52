//! Runs a loop inside its own callback, and loops inside the callbacks of others, as deep as there may be
//! runs; the outermost goes on while the others are in their callbacks. Makes as many runs as it can, and
//! tries keys of runs that it does not have.

use std::ops::ControlFlow;
use uv::batch::{self, Change, OpenTimer, Operation, StartTimer, TimerPool, advance};
use uv::event_loop::{Loop, Run, Step};
use uv::handle::{AnyHandle, active, closed, closing};
use uv::timer::Timer;
use uv::types::{Error, ErrorCode, EventKind, RunMode};
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::{NOTHING, assert_code, go_on, next_callbacks};

/// One less than there may be: the last one is for the tests at the limit.
const LOOPS: u64 = 63;

fn next(run: &Run) -> u64 {
    match go_on(run).unwrap() {
        ControlFlow::Continue(event) => {
            assert!(matches!(event.kind, EventKind::Callback), "{event:?}");
            event.token
        }
        ControlFlow::Break(_) => panic!("one timer is due"),
    }
}

/// A key that names no run brings nothing and ends no batch.
fn assert_no_key(key: u64) {
    assert_eq!(next_callbacks(key), NOTHING);
    advance(key, u32::MAX, None, &[Change { position: 0, operation: Operation::CloseOwn }]);
    for position in [None, Some(0), Some(u32::MAX)] {
        assert_code(batch::next(key, u32::MAX, position, None, &[]), ErrorCode::Einval);
    }
}

/// Makes changes to timers of a pool that it has, by numbers of those that it has not.
fn change_foreign(key: u64, pool: Option<&TimerPool>) {
    for number in (0..1_000).chain([u32::MAX - 1, u32::MAX]) {
        let operations = [
            Operation::Stop(number),
            Operation::Start(StartTimer { timer: number, timeout: 0, repeat: 0 }),
            Operation::Open(OpenTimer { timer: number, token: 0 }),
            Operation::Close(number),
        ];
        let changes = operations.map(|operation| Change { position: number, operation });
        advance(key, number, pool, &changes);
        if let Some(pool) = pool {
            pool.flush(&changes);
        }
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
    let mut runs = Vec::new();
    for (token, (event_loop, _)) in all.iter().enumerate() {
        let run = event_loop.begin(RunMode::Default).unwrap();
        assert_eq!(next(&run), token as u64);
        runs.push(run);
        for mode in [RunMode::Default, RunMode::Once, RunMode::Nowait] {
            all[..=token].iter().for_each(|(outer, _)| assert_code(outer.begin(mode), ErrorCode::Ebusy));
        }
        assert_code(event_loop.close(), ErrorCode::Ebusy);
    }
    // Each of them, in any order, goes on from where it is.
    for round in 1..=20 {
        let step = (round * 2) % LOOPS;
        for at in 0..LOOPS {
            let token = at * step % LOOPS;
            assert_eq!(next(&runs[token as usize]), token);
        }
    }

    // Runs at the limit: finished ones count until they are dropped.
    let last = Loop::create().unwrap();
    let finished = last.begin(RunMode::Default).unwrap();
    assert!(matches!(finished.next(), Ok(Step::Finished(false))));
    for _ in 0..1_000 {
        assert_code(last.begin(RunMode::Nowait), ErrorCode::Emfile);
    }
    drop(finished);
    for _ in 0..100_000 {
        drop(last.begin(RunMode::Nowait).unwrap());
    }

    // Keys: guessed, near one that there is, and of runs that are gone.
    let keys: Vec<u64> = runs.iter().map(batch::key).collect();
    let near = |key: &u64| [key.wrapping_add(1), key.wrapping_sub(1), !key, key.swap_bytes(), key >> 32];
    let guessed = (0..1_000).chain(keys.iter().flat_map(near)).chain([u64::MAX, 1 << 32, 1 << 63]);
    guessed.filter(|key| !keys.contains(key)).for_each(assert_no_key);
    for _ in 0..1_000 {
        let key = batch::key(&last.begin(RunMode::Default).unwrap());
        assert!(!keys.contains(&key));
        assert_no_key(key);
    }

    // Changes that name timers of others, made in the callback of another loop.
    let (pool, other) = (TimerPool::create().unwrap(), TimerPool::create().unwrap());
    let ahead = pool.allocate(&all[0].0, 3).unwrap();
    for key in [keys[0], keys[LOOPS as usize - 1], 0] {
        change_foreign(key, None);
        change_foreign(key, Some(&other));
    }
    assert!(all.iter().all(|(_, timer)| active(&AnyHandle::Timer(timer))));
    assert!(ahead.iter().all(|(timer, _)| closed(&AnyHandle::Timer(timer))));
    change_foreign(keys[0], Some(&pool));
    assert!(all.iter().all(|(_, timer)| active(&AnyHandle::Timer(timer))), "only the pool's are changed");
    assert!(ahead.iter().all(|(timer, _)| closing(&AnyHandle::Timer(timer))));
    drop((ahead, pool, other));
    // In the callback of one loop, the callback of another one, of which there is no batch.
    let own = Change { position: 0, operation: Operation::CloseOwn };
    keys.iter().for_each(|&key| advance(key, 0, None, &[own, own]));
    assert!(all.iter().all(|(_, timer)| !closing(&AnyHandle::Timer(timer))));

    // A third of them are stopped and end, a third lose their loops, and the others vanish in the middle.
    for ((event_loop, timer), run) in all.iter().zip(&runs).step_by(3) {
        event_loop.stop();
        timer.stop();
        while let ControlFlow::Continue(_) = go_on(run).unwrap() {}
        assert_code(run.next(), ErrorCode::Einval);
        assert_code(uv::blocking::wait(run), ErrorCode::Einval);
    }
    let mut rest = Vec::new();
    for (at, (event_loop, timer)) in all.into_iter().enumerate() {
        if at % 3 != 1 {
            rest.push((event_loop, timer));
            continue;
        }
        drop(event_loop);
        assert!(matches!(runs[at].next(), Err(Error::LoopClosed)));
        assert!(matches!(uv::blocking::wait(&runs[at]), Err(Error::LoopClosed)));
        assert!(matches!(batch::next(keys[at], 1, None, None, &[]), Err(Error::LoopClosed)));
        assert_eq!(next_callbacks(keys[at]), NOTHING);
        advance(keys[at], 0, None, &[own]);
        assert!(closed(&AnyHandle::Timer(&timer)));
    }
    std::mem::forget((rest, runs));
}
