//! The steps of `batch.next`, and the effect of `advance` and of changes of timers on them. With the bare interfaces.

use std::ops::ControlFlow;
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::{events, go_on, go_on_batched};

use uv::batch::Operation::{Close, CloseOwn, Open, OpenAndStart, Start, Stop};
use uv::batch::{
    BatchStep, Change, OpenAndStartTimer, OpenTimer, Operation, StartTimer, TimerPool, advance, key, next,
};
use uv::event_loop::{Loop, Run};
use uv::handle::{AnyHandle, active, closed, closing};
use uv::idle::Idle;
use uv::timer::Timer;
use uv::types::{Error, RunMode};

/// The tokens of a batch; none at the end of the run.
fn tokens(run: &Run, max: u32) -> Vec<u64> {
    match go_on_batched(run, max).unwrap() {
        BatchStep::Event(event) => vec![event.token],
        BatchStep::Callbacks(tokens) => {
            assert!((2..=max as usize).contains(&tokens.len()));
            tokens
        }
        BatchStep::Finished(_) => Vec::new(),
        other => panic!("{other:?}"),
    }
}

/// Goes on until the end of the run, one callback after the other.
fn rest(run: &Run) -> Vec<u64> {
    let mut tokens = Vec::new();
    while let ControlFlow::Continue(event) = go_on(run).unwrap() {
        tokens.push(event.token);
    }
    tokens
}

/// Begins runs until one brings so many callbacks at once: how many there are in a batch is the host's affair.
fn batch<const LENGTH: usize>(event_loop: &Loop, mode: RunMode) -> (Run, [u64; LENGTH]) {
    loop {
        let run = event_loop.begin(mode).unwrap();
        if let Ok(batch) = tokens(&run, 8).try_into() {
            return (run, batch);
        }
        rest(&run);
    }
}

/// The callback of this position makes a change.
fn at(position: u32, operation: Operation) -> Change {
    Change { position, operation }
}

/// The callback of this position closes its own handle.
fn own(position: u32) -> Change {
    at(position, CloseOwn)
}

fn open_timer(timer: u32, token: u64) -> Operation {
    Open(OpenTimer { timer, token })
}

fn open_and_start(timer: u32, token: u64, timeout: u64, repeat: u64) -> Operation {
    OpenAndStart(OpenAndStartTimer { timer, token, timeout, repeat })
}

fn start(timer: u32, timeout: u64, repeat: u64) -> Operation {
    Start(StartTimer { timer, timeout, repeat })
}

/// Makes a change outside of a batch.
fn change(pool: &TimerPool, operation: Operation) {
    pool.flush(&[at(0, operation)]);
}

/// A key that names no run.
const NO_RUN: u64 = 0;

pub fn main() {
    let event_loop = Loop::create().unwrap();
    let [one, two, three] = [1, 2, 3].map(|token| {
        let idle = Idle::create(&event_loop, token).unwrap();
        idle.start().unwrap();
        idle
    });

    let run = event_loop.begin(RunMode::Nowait).unwrap();
    advance(key(&run), 0, None, &[own(0)]); // There is no batch.
    assert_eq!(rest(&run), [3, 2, 1]);
    drop(run);

    let (run, all) = batch(&event_loop, RunMode::Nowait);
    assert_eq!(all, [3, 2, 1]);
    assert_eq!(tokens(&run, 8), []);
    let run = event_loop.begin(RunMode::Nowait).unwrap();
    assert_eq!(tokens(&run, 1), [3]);
    assert_eq!(rest(&run), [2, 1]);

    // The second callback stops the third handle, which is withdrawn.
    let (run, all) = batch(&event_loop, RunMode::Nowait);
    assert_eq!(all, [3, 2, 1]);
    advance(key(&run), 1, None, &[]);
    one.stop();
    assert_eq!(rest(&run), []);
    one.start().unwrap();

    // The first callback makes a call, and the others come again.
    let (run, all) = batch(&event_loop, RunMode::Nowait);
    assert_eq!(all, [1, 3, 2]);
    advance(key(&run), 0, None, &[]);
    advance(key(&run), 2, None, &[own(2)]); // The rest is not there any more.
    assert!(active(&AnyHandle::Idle(&two)));
    assert_eq!(rest(&run), [3, 2]);

    // The position of `next` is that of `advance`.
    let (run, all) = batch(&event_loop, RunMode::Nowait);
    assert_eq!(all, [1, 3, 2]);
    let step = next(key(&run), 8, Some(1), None, &[]);
    assert!(matches!(step, Ok(BatchStep::Event(event)) if event.token == 2), "{step:?}");
    assert_eq!(rest(&run), []);

    // Calls without `advance` count as made in the first callback. Nothing is lost.
    let (run, all) = batch(&event_loop, RunMode::Nowait);
    assert_eq!(all, [1, 3, 2]);
    three.stop();
    assert_eq!(rest(&run), [2]);
    three.start().unwrap();

    // A run that is dropped with a batch: its first callback has returned, the others are due in the next run.
    let (run, all) = batch(&event_loop, RunMode::Nowait);
    assert_eq!(all, [3, 1, 2]);
    drop(run);
    let run = event_loop.begin(RunMode::Nowait).unwrap();
    let mut again = rest(&run);
    again.sort_unstable();
    assert_eq!(again, [1, 2, 3]);
    [&one, &two, &three].iter().for_each(|idle| idle.stop());
    [&two, &one, &three].iter().for_each(|idle| idle.start().unwrap());

    // The first two callbacks close their own handles; the position is beyond the end.
    let (run, all) = batch(&event_loop, RunMode::Nowait);
    assert_eq!(all, [3, 1, 2]);
    assert!(!closing(&AnyHandle::Idle(&three)));
    advance(key(&run), 99, None, &[own(0), own(1), own(7)]);
    let of = [&one, &two, &three].map(|idle| closing(&AnyHandle::Idle(idle)));
    assert_eq!(of, [true, false, true]);
    let mut closes = Vec::new();
    loop {
        match go_on_batched(&run, 8).unwrap() {
            BatchStep::Finished(_) => break,
            step => closes.extend(events(step).iter().map(|event| event.token)),
        }
    }
    assert_eq!(closes, [1, 3], "last closed first");
    assert!([&one, &three].iter().all(|idle| closed(&AnyHandle::Idle(idle))));
    two.stop();

    // Repeating timers are started again one by one, as the position passes them.
    let pool = TimerPool::create().unwrap();
    let ahead: [(Timer, u32); 3] = pool.allocate(&event_loop, 3).unwrap().try_into().unwrap();
    let numbers = ahead.each_ref().map(|(_, number)| *number);
    let timers = ahead.map(|(timer, _)| timer);
    for (token, number) in (5..).zip(numbers) {
        change(&pool, open_and_start(number, token, 10, 10));
    }
    let are_active = || timers.each_ref().map(|timer| active(&AnyHandle::Timer(timer)));
    let (run, all) = batch(&event_loop, RunMode::Once);
    assert_eq!(all, [5, 6, 7]);
    assert_eq!(are_active(), [true, false, false]);
    advance(key(&run), 1, None, &[]);
    assert_eq!(are_active(), [true, true, false]);
    assert_eq!(tokens(&run, 8), [7]);
    assert_eq!(are_active(), [true; 3]);
    assert_eq!(tokens(&run, 8), []);

    // Changes of timers take effect where the callbacks made them, in this order: the first one stops the third,
    // which is withdrawn; the second starts the first afresh.
    let [first, second, third] = numbers;
    let (run, all) = batch(&event_loop, RunMode::Once);
    assert_eq!(all, [5, 6, 7]);
    advance(
        key(&run),
        1,
        Some(&pool),
        &[
            at(0, Stop(third)),
            at(1, start(first, 10, 10)),
            // Neither does anything: both timers are open.
            at(1, open_timer(second, 0)),
            at(1, open_timer(first, 0)),
        ],
    );
    assert_eq!(are_active(), [true, true, false]);
    assert_eq!(tokens(&run, 8), []);
    let run = event_loop.begin(RunMode::Once).unwrap();
    assert_eq!(rest(&run), [6, 5]);
    // Without a batch they take effect too, whatever their position, and whatever run they are told of.
    advance(key(&run), 0, Some(&pool), &[at(0, start(third, 0, 10)), at(7, Stop(first))]);
    advance(NO_RUN, 3, Some(&pool), &[at(9, start(first, 10, 10))]);
    assert_eq!(are_active(), [true; 3]);
    assert!(next(NO_RUN, 1, Some(u32::MAX), Some(&pool), &[at(9, Stop(second))]).is_err());
    assert_eq!(are_active(), [true, false, true], "changes are flushed first");
    change(&pool, start(second, 10, 10));

    // A component without the pool cannot change its timers, and other timers cannot be changed by a number.
    let other = TimerPool::create().unwrap();
    let plain = Timer::create(&event_loop, 8).unwrap();
    for pool in [None, Some(&other)] {
        let all: Vec<Change> =
            (0..100).flat_map(|number| [at(0, Stop(number)), at(0, Close(number))]).collect();
        advance(NO_RUN, 0, pool, &all);
        (0..100).for_each(|number| change(&other, start(number, 1, 1)));
    }
    change(&other, CloseOwn);
    assert_eq!(are_active(), [true; 3]);
    assert!(!active(&AnyHandle::Timer(&plain)) && !closing(&AnyHandle::Timer(&plain)));
    drop((plain, other));

    // Timers of a pool are closed at first. Opened, they are handles like others, and can be closed and opened
    // again.
    let newer = TimerPool::create().unwrap();
    let ahead = newer.allocate(&event_loop, 3).unwrap();
    assert!(ahead.iter().all(|(timer, _)| closed(&AnyHandle::Timer(timer)) && timer.start(1, 1).is_err()));
    let [left, middle, right] = [0, 1, 2].map(|at| ahead[at].1);
    let is_active = |at: usize| active(&AnyHandle::Timer(&ahead[at].0));
    let open = |number: u32, token: u64| change(&newer, open_and_start(number, token, 0, 0));
    assert_eq!(event_loop.handles(), [2, 5, 6, 7]);
    open(middle, 21);
    open(left, 20);
    assert_eq!(event_loop.handles(), [2, 5, 6, 7, 21, 20]);
    change(&newer, Close(middle));
    assert!(closing(&AnyHandle::Timer(&ahead[1].0)) && is_active(0));
    let run = event_loop.begin(RunMode::Nowait).unwrap();
    let brought = rest(&run);
    assert!(brought.contains(&20) && brought.contains(&21), "{brought:?}");
    assert!(closed(&AnyHandle::Timer(&ahead[1].0)));
    open(middle, 22);
    assert!(is_active(1) && event_loop.handles().contains(&22));
    // Or one after the other. An open timer is not opened again, and then not started by that either.
    change(&newer, open_timer(right, 23));
    assert!(!is_active(2));
    open(right, 24);
    assert!(!is_active(2) && event_loop.handles().contains(&23));
    change(&newer, start(right, 0, 0));
    assert!(is_active(2));
    change(&newer, Stop(right));
    assert!(!is_active(2));
    assert!(newer.allocate(&event_loop, 0).is_err());
    // Its timers are there without it, and numbers of timers that are gone name none.
    drop(newer);
    assert!(is_active(1));
    drop(ahead);
    assert_eq!(are_active(), [true; 3]);

    // A loop is dropped while a run of it has a batch.
    timers.iter().for_each(|timer| timer.start(10, 10).unwrap());
    let (run, [_, _, _]) = batch(&event_loop, RunMode::Once);
    let key = key(&run);
    drop(event_loop);
    advance(key, 2, None, &[own(0), own(1), own(2)]);
    advance(key, 2, Some(&pool), &[at(1, start(first, 1, 1)), at(1, open_timer(first, 1))]);
    assert_eq!(are_active(), [false; 3]);
    assert!(matches!(next(key, 8, Some(2), Some(&pool), &[own(1)]), Err(Error::LoopClosed)));
    drop(two);
}
