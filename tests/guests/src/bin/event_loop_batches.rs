//! What a pull for several callbacks brings, and what `advance` does to it. With the bare interfaces.

use uv_handles::bindings::uv::handles as uv;

use uv::blocking::{Pulled, pull};
use uv::event_loop::{Loop, advance};
use uv::handle::{AnyHandle, active, closed, closing};
use uv::idle::Idle;
use uv::timer::Timer;
use uv::types::{Occurrence, RunMode};

/// The tokens of what is pulled at once; none at the end of the run.
fn tokens(event_loop: &Loop, max: u32) -> Vec<u64> {
    match pull(event_loop, max).unwrap() {
        Pulled::Event(event) => vec![event.token],
        Pulled::Batch(events) => {
            assert!((2..=max as usize).contains(&events.len()));
            assert!(events.iter().all(|event| matches!(event.what, Occurrence::Callback)));
            events.iter().map(|event| event.token).collect()
        }
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

fn main() {
    let event_loop = Loop::create().unwrap();
    let [one, two, three] = [1, 2, 3].map(|token| {
        let idle = Idle::create(&event_loop, token).unwrap();
        idle.start().unwrap();
        idle
    });
    advance(0, &[0]); // Nothing has been handed over.

    assert_eq!(batch(&event_loop, RunMode::Nowait), [3, 2, 1]);
    assert_eq!(tokens(&event_loop, 8), []);
    event_loop.begin(RunMode::Nowait).unwrap();
    assert_eq!(tokens(&event_loop, 2), [3, 2]);
    assert_eq!(tokens(&event_loop, 2), [1]);
    assert_eq!(tokens(&event_loop, 2), []);

    // The second callback stops the third handle, which is withdrawn.
    assert_eq!(batch(&event_loop, RunMode::Nowait), [3, 2, 1]);
    advance(1, &[]);
    one.stop();
    assert_eq!(rest(&event_loop), []);
    one.start().unwrap();

    // The first callback calls something, and the others are pulled again.
    assert_eq!(batch(&event_loop, RunMode::Nowait), [1, 3, 2]);
    advance(0, &[]);
    advance(2, &[2]); // The rest is not there any more.
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
    advance(99, &[0, 1, 7]);
    let of = [&one, &two, &three].map(|idle| closing(&AnyHandle::Idle(idle)));
    assert_eq!(of, [true, false, true]);
    let mut closes = Vec::new();
    loop {
        match pull(&event_loop, 8).unwrap() {
            Pulled::Event(event) => closes.push(event.token),
            Pulled::Batch(events) => closes.extend(events.iter().map(|event| event.token)),
            Pulled::Finished(_) => break,
        }
    }
    assert_eq!(closes, [1, 3], "last closed first");
    assert!([&one, &three].iter().all(|idle| closed(&AnyHandle::Idle(idle))));
    drop(two);

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

    // The loop goes while a batch of it is out.
    assert_eq!(batch(&event_loop, RunMode::Once), [5, 6, 7]);
    drop(event_loop);
    advance(2, &[0, 1, 2]);
    assert_eq!(are_active(), [false; 3]);
}
