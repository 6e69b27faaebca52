//! What a pull for several callbacks brings, and what `advance` does to it. With the bare interfaces.

use uv_handles::bindings::uv::handles as uv;
use uv_handles::changes::Change::{Close, CloseOwn, Open, OpenAndStart, Start, Stop};
use uv_handles::changes::{Change, Changes};
use uv_handles_test_guests::events;

use uv::batch::{Reserve, advance};
use uv::blocking::{Pulled, pull};
use uv::event_loop::Loop;
use uv::handle::{AnyHandle, active, closed, closing};
use uv::idle::Idle;
use uv::timer::Timer;
use uv::types::RunMode;

/// The tokens of what is pulled at once; none at the end of the run.
fn tokens(event_loop: &Loop, max: u32) -> Vec<u64> {
    match pull(event_loop, max).unwrap() {
        Pulled::Event(event) => vec![event.token],
        Pulled::Callbacks(tokens) => {
            assert!((2..=max as usize).contains(&tokens.len()));
            tokens
        }
        other @ (Pulled::Polls(_) | Pulled::Closes(_)) => panic!("{other:?}"),
        Pulled::Finished(_) => Vec::new(),
    }
}

/// Pulls until the end of the run, one after the other.
fn rest(event_loop: &Loop) -> Vec<u64> {
    std::iter::from_fn(|| tokens(event_loop, 1).first().copied()).collect()
}

/// Begins runs until one brings so many callbacks at once: how many there are in a batch is the host's affair.
fn batch<const LENGTH: usize>(event_loop: &Loop, mode: RunMode) -> [u64; LENGTH] {
    loop {
        event_loop.begin(mode).unwrap();
        if let Ok(batch) = tokens(event_loop, 8).try_into() {
            return batch;
        }
        rest(event_loop);
    }
}

/// The callback of this position has closed its own handle.
fn own(position: u16) -> (u16, Change) {
    (position, CloseOwn)
}

/// Tells what has been done by the callbacks of a batch, up to this position.
fn tell(position: u32, reserve: Option<&Reserve>, changes: &[(u16, Change)]) {
    advance(position, reserve, changes.iter().copied().collect::<Changes>().as_numbers());
}

/// Tells of one change, which is of no batch.
fn change(reserve: &Reserve, change: Change) {
    tell(0, Some(reserve), &[(0, change)]);
}

pub fn main() {
    let event_loop = Loop::create().unwrap();
    let [one, two, three] = [1, 2, 3].map(|token| {
        let idle = Idle::create(&event_loop, token).unwrap();
        idle.start().unwrap();
        idle
    });
    tell(0, None, &[own(0)]); // Nothing has been handed over.

    assert_eq!(batch(&event_loop, RunMode::Nowait), [3, 2, 1]);
    assert_eq!(tokens(&event_loop, 8), []);
    event_loop.begin(RunMode::Nowait).unwrap();
    assert_eq!(tokens(&event_loop, 1), [3]);
    assert_eq!(rest(&event_loop), [2, 1]);

    // The second callback stops the third handle, which is withdrawn.
    assert_eq!(batch(&event_loop, RunMode::Nowait), [3, 2, 1]);
    tell(1, None, &[]);
    one.stop();
    assert_eq!(rest(&event_loop), []);
    one.start().unwrap();

    // The first callback calls something, and the others are pulled again.
    assert_eq!(batch(&event_loop, RunMode::Nowait), [1, 3, 2]);
    tell(0, None, &[]);
    tell(2, None, &[own(2)]); // The rest is not there any more.
    assert!(active(&AnyHandle::Idle(&two)));
    assert_eq!(rest(&event_loop), [3, 2]);

    // Whoever makes calls without a word makes them in the first callback. Nothing is lost.
    assert_eq!(batch(&event_loop, RunMode::Nowait), [1, 3, 2]);
    three.stop();
    assert_eq!(rest(&event_loop), [2]);
    three.start().unwrap();

    // The first two callbacks close their own handles; the position is beyond the end.
    assert_eq!(batch(&event_loop, RunMode::Nowait), [3, 1, 2]);
    assert!(!closing(&AnyHandle::Idle(&three)));
    tell(99, None, &[own(0), own(1), own(7)]);
    let of = [&one, &two, &three].map(|idle| closing(&AnyHandle::Idle(idle)));
    assert_eq!(of, [true, false, true]);
    let mut closes = Vec::new();
    loop {
        match pull(&event_loop, 8).unwrap() {
            Pulled::Finished(_) => break,
            pulled => closes.extend(events(pulled).iter().map(|event| event.token)),
        }
    }
    assert_eq!(closes, [1, 3], "last closed first");
    assert!([&one, &three].iter().all(|idle| closed(&AnyHandle::Idle(idle))));
    two.stop();

    // Repeating timers are started again one by one, as the position passes them.
    let reserve = Reserve::create().unwrap();
    let ahead: [(Timer, u32); 3] = reserve.make(&event_loop, 3).unwrap().try_into().unwrap();
    let numbers = ahead.each_ref().map(|(_, number)| *number);
    let timers = ahead.map(|(timer, _)| timer);
    for (token, number) in (5..).zip(numbers) {
        change(&reserve, OpenAndStart { timer: number, token, timeout: 10, repeat: 10 });
    }
    let are_active = || timers.each_ref().map(|timer| active(&AnyHandle::Timer(timer)));
    assert_eq!(batch(&event_loop, RunMode::Once), [5, 6, 7]);
    assert_eq!(are_active(), [true, false, false]);
    tell(1, None, &[]);
    assert_eq!(are_active(), [true, true, false]);
    assert_eq!(tokens(&event_loop, 8), [7]);
    assert_eq!(are_active(), [true; 3]);
    assert_eq!(tokens(&event_loop, 8), []);

    // What callbacks have done to timers happens where they did it, and so in this order: the first one stops the
    // third, which is withdrawn; the second starts the first afresh.
    let [first, second, third] = numbers;
    let timers_of = Some(&reserve);
    assert_eq!(batch(&event_loop, RunMode::Once), [5, 6, 7]);
    tell(
        1,
        timers_of,
        &[
            (0, Stop { timer: third }),
            (1, Start { timer: first, timeout: 10, repeat: 10 }),
            // Neither says anything of a timer that is not closed.
            (1, Open { timer: second, token: 0 }),
            (1, Open { timer: first, token: 0 }),
        ],
    );
    assert_eq!(are_active(), [true, true, false]);
    assert_eq!(tokens(&event_loop, 8), []);
    event_loop.begin(RunMode::Once).unwrap();
    assert_eq!(rest(&event_loop), [6, 5]);
    // Without a batch, or behind its rest, they are done too, whatever their position.
    tell(0, timers_of, &[(0, Start { timer: third, timeout: 0, repeat: 10 }), (7, Stop { timer: first })]);
    tell(3, timers_of, &[(9, Start { timer: first, timeout: 10, repeat: 10 })]);
    assert_eq!(are_active(), [true; 3]);

    // A list ends where it can not be read: with what is no operation, or if a number is missing.
    let stop = |timer: u32| 3 << 48 | u64::from(timer);
    for unreadable in
        [&[6 << 48, stop(first)][..], &[2 << 48 | u64::from(first), 99], &[1 << 48 | u64::from(first), 9, 9]]
    {
        advance(0, timers_of, unreadable);
        assert_eq!(are_active(), [true; 3]);
        advance(0, timers_of, &[&[stop(second)], unreadable].concat());
        assert_eq!(are_active(), [true, false, true], "what comes before counts");
        change(&reserve, Start { timer: second, timeout: 10, repeat: 10 });
    }

    // Who has not got the reserve can not change its timers, and nobody can change others by a number.
    let other = Reserve::create().unwrap();
    let plain = Timer::create(&event_loop, 8).unwrap();
    for reserve in [None, Some(&other)] {
        let all = (0..100).flat_map(|number| [(0, Stop { timer: number }), (0, Close { timer: number })]);
        tell(0, reserve, &all.collect::<Vec<_>>());
        (0..100).for_each(|number| change(&other, Start { timer: number, timeout: 1, repeat: 1 }));
    }
    change(&other, CloseOwn);
    assert_eq!(are_active(), [true; 3]);
    assert!(!active(&AnyHandle::Timer(&plain)) && !closing(&AnyHandle::Timer(&plain)));
    drop((plain, other));

    // Timers that are made ahead are closed. Opened, they are handles like others, and can be closed and opened again.
    let newer = Reserve::create().unwrap();
    let ahead = newer.make(&event_loop, 3).unwrap();
    assert!(ahead.iter().all(|(timer, _)| closed(&AnyHandle::Timer(timer)) && timer.start(1, 1).is_err()));
    let [left, middle, right] = [0, 1, 2].map(|at| ahead[at].1);
    let is_active = |at: usize| active(&AnyHandle::Timer(&ahead[at].0));
    let open = |number: u32, token: u64| {
        change(&newer, OpenAndStart { timer: number, token, timeout: 0, repeat: 0 })
    };
    assert_eq!(event_loop.handles(), [2, 5, 6, 7]);
    open(middle, 21);
    open(left, 20);
    assert_eq!(event_loop.handles(), [2, 5, 6, 7, 21, 20]);
    change(&newer, Close { timer: middle });
    assert!(closing(&AnyHandle::Timer(&ahead[1].0)) && is_active(0));
    let mut pulled = Vec::new();
    event_loop.begin(RunMode::Nowait).unwrap();
    pulled.extend(rest(&event_loop));
    assert!(pulled.contains(&20) && pulled.contains(&21), "{pulled:?}");
    assert!(closed(&AnyHandle::Timer(&ahead[1].0)));
    open(middle, 22);
    assert!(is_active(1) && event_loop.handles().contains(&22));
    // Or one after the other. What is open is not opened again, and then not started by that either.
    change(&newer, Open { timer: right, token: 23 });
    assert!(!is_active(2));
    open(right, 24);
    assert!(!is_active(2) && event_loop.handles().contains(&23));
    change(&newer, Start { timer: right, timeout: 0, repeat: 0 });
    assert!(is_active(2));
    change(&newer, Stop { timer: right });
    assert!(!is_active(2));
    assert!(newer.make(&event_loop, 0).is_err());
    // Its timers are there without it, and numbers of timers that are gone are of nobody.
    drop(newer);
    assert!(is_active(1));
    drop(ahead);
    assert_eq!(are_active(), [true; 3]);

    // The loop goes while a batch of it is out.
    timers.iter().for_each(|timer| timer.start(10, 10).unwrap());
    let [_, _, _] = batch(&event_loop, RunMode::Once);
    drop(event_loop);
    let started = [(1, Start { timer: first, timeout: 1, repeat: 1 }), (1, Open { timer: first, token: 1 })];
    tell(2, None, &[own(0), own(1), own(2)]);
    tell(2, timers_of, &started);
    assert_eq!(are_active(), [false; 3]);
    drop(two);
}
