//! What a pull for several callbacks brings, and what `advance` does to it. With the bare interfaces.

use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::events;

use uv::batch::{Change, Operation, advance, reserve};
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

/// Opens a closed timer and starts it.
fn open(timer: &Timer, token: u64) {
    advance(0, &[change(0, Operation::OpenAndStart((timer, token, 0, 0)))]);
}

fn change(position: u32, operation: Operation<'_>) -> Change<'_> {
    Change { position, operation }
}

/// The callback of this position has closed its own handle.
fn own(position: u32) -> Change<'static> {
    change(position, Operation::CloseOwn)
}

fn main() {
    let event_loop = Loop::create().unwrap();
    let [one, two, three] = [1, 2, 3].map(|token| {
        let idle = Idle::create(&event_loop, token).unwrap();
        idle.start().unwrap();
        idle
    });
    advance(0, &[own(0)]); // Nothing has been handed over.

    assert_eq!(batch(&event_loop, RunMode::Nowait), [3, 2, 1]);
    assert_eq!(tokens(&event_loop, 8), []);
    event_loop.begin(RunMode::Nowait).unwrap();
    assert_eq!(tokens(&event_loop, 1), [3]);
    assert_eq!(rest(&event_loop), [2, 1]);

    // The second callback stops the third handle, which is withdrawn.
    assert_eq!(batch(&event_loop, RunMode::Nowait), [3, 2, 1]);
    advance(1, &[]);
    one.stop();
    assert_eq!(rest(&event_loop), []);
    one.start().unwrap();

    // The first callback calls something, and the others are pulled again.
    assert_eq!(batch(&event_loop, RunMode::Nowait), [1, 3, 2]);
    advance(0, &[]);
    advance(2, &[own(2)]); // The rest is not there any more.
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
    advance(99, &[own(0), own(1), own(7)]);
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
    let timers = [5, 6, 7].map(|token| {
        let timer = Timer::create(&event_loop, token).unwrap();
        timer.start(10, 10).unwrap();
        timer
    });
    let are_active = || timers.each_ref().map(|timer| active(&AnyHandle::Timer(timer)));
    assert_eq!(batch(&event_loop, RunMode::Once), [5, 6, 7]);
    assert_eq!(are_active(), [true, false, false]);
    advance(1, &[]);
    assert_eq!(are_active(), [true, true, false]);
    assert_eq!(tokens(&event_loop, 8), [7]);
    assert_eq!(are_active(), [true; 3]);
    assert_eq!(tokens(&event_loop, 8), []);

    // What callbacks have done to timers happens where they did it, and so in this order: the first one stops the
    // third, which is withdrawn; the second starts the first afresh.
    let [first, second, third] = &timers;
    assert_eq!(batch(&event_loop, RunMode::Once), [5, 6, 7]);
    advance(
        1,
        &[
            change(0, Operation::Stop(third)),
            change(1, Operation::Start((first, 10, 10))),
            // Neither says anything of a timer that is not closed.
            change(1, Operation::Open((second, 0))),
            change(1, Operation::Open((first, 0))),
        ],
    );
    assert_eq!(are_active(), [true, true, false]);
    assert_eq!(tokens(&event_loop, 8), []);
    event_loop.begin(RunMode::Once).unwrap();
    assert_eq!(rest(&event_loop), [6, 5]);
    // Without a batch, or behind its rest, they are done too, whatever their position.
    advance(0, &[change(0, Operation::Start((third, 0, 10))), change(7, Operation::Stop(first))]);
    advance(3, &[change(9, Operation::Start((first, 10, 10)))]);
    assert_eq!(are_active(), [true; 3]);

    // Timers that are made ahead are closed. Opened, they are handles like others, and can be closed and opened again.
    let ahead = reserve(&event_loop, 3).unwrap();
    assert!(ahead.iter().all(|timer| closed(&AnyHandle::Timer(timer)) && timer.start(1, 1).is_err()));
    assert_eq!(event_loop.handles(), [2, 5, 6, 7]);
    open(&ahead[1], 21);
    open(&ahead[0], 20);
    assert_eq!(event_loop.handles(), [2, 5, 6, 7, 21, 20]);
    advance(0, &[change(0, Operation::Close(&ahead[1]))]);
    assert!(closing(&AnyHandle::Timer(&ahead[1])) && active(&AnyHandle::Timer(&ahead[0])));
    let mut pulled = Vec::new();
    event_loop.begin(RunMode::Nowait).unwrap();
    pulled.extend(rest(&event_loop));
    assert!(pulled.contains(&20) && pulled.contains(&21), "{pulled:?}");
    assert!(closed(&AnyHandle::Timer(&ahead[1])));
    open(&ahead[1], 22);
    assert!(active(&AnyHandle::Timer(&ahead[1])) && event_loop.handles().contains(&22));
    // Or one after the other. What is open is not opened again, and then not started by that either.
    advance(0, &[change(0, Operation::Open((&ahead[2], 23)))]);
    assert!(!active(&AnyHandle::Timer(&ahead[2])));
    open(&ahead[2], 24);
    assert!(!active(&AnyHandle::Timer(&ahead[2])) && event_loop.handles().contains(&23));
    advance(0, &[change(0, Operation::Start((&ahead[2], 0, 0)))]);
    assert!(active(&AnyHandle::Timer(&ahead[2])));
    assert!(reserve(&event_loop, 0).is_err());
    drop(ahead);
    assert_eq!(are_active(), [true; 3]);

    // The loop goes while a batch of it is out.
    timers.iter().for_each(|timer| timer.start(10, 10).unwrap());
    let [_, _, _] = batch(&event_loop, RunMode::Once);
    drop(event_loop);
    let started = [change(1, Operation::Start((first, 1, 1))), change(1, Operation::Open((first, 1)))];
    advance(2, &[own(0), own(1), own(2)]);
    advance(2, &started);
    assert_eq!(are_active(), [false; 3]);
    drop(two);
}
