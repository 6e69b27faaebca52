//! `blocking-batch.next-ready`: it waits, and brings one poll handle that is ready. Everything else comes
//! with `next`. With the bare interfaces.

use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::{NO_TOKEN, events, next_ready as ready};

use uv::batch::{BatchStep, RunKey, key};
use uv::blocking_batch::next;
use uv::descriptors::Descriptor;
use uv::event_loop::Loop;
use uv::idle::Idle;
use uv::poll::Poll;
use uv::timer::Timer;
use uv::types::{PollEvents, RunMode};

/// The tokens of the next step.
fn tokens(run: RunKey) -> Vec<u64> {
    events(next(run, 8, None, None, &[]).unwrap()).iter().map(|event| event.token).collect()
}

pub fn main() {
    for no_key in [0, 1, u64::MAX] {
        assert_eq!(ready(no_key), None);
    }
    let event_loop = Loop::create().unwrap();
    // The two ends of a connection.
    let [one, other] = ["one", "other"].map(|name| Descriptor::open(name).unwrap());
    let poll = Poll::create(&event_loop, 1, &one).unwrap();
    poll.start(PollEvents::READABLE).unwrap();
    let run = event_loop.begin(RunMode::Default).unwrap();
    let run_key = key(&run);

    // It brings the handle, again and again as long as it is ready.
    other.write(b"!").unwrap();
    assert_eq!(ready(run_key), Some((1, PollEvents::READABLE)));
    assert_eq!(ready(run_key), Some((1, PollEvents::READABLE)));
    poll.start(PollEvents::READABLE | PollEvents::WRITABLE).unwrap();
    assert_eq!(ready(run_key), Some((1, PollEvents::READABLE | PollEvents::WRITABLE)));
    poll.start(PollEvents::READABLE).unwrap();
    assert_eq!(one.read(8).unwrap(), b"!");

    // A callback of another kind is left for `next`, and until then nothing comes, although the handle is
    // ready.
    let timer = Timer::create(&event_loop, 2).unwrap();
    timer.start(20, 0).unwrap();
    let begin = event_loop.now().unwrap();
    assert_eq!(ready(run_key), None);
    other.write(b"!").unwrap();
    assert_eq!(ready(run_key), None);
    assert_eq!(tokens(run_key), [2]);
    assert!(event_loop.now().unwrap() >= begin + 20);
    assert_eq!(ready(run_key), Some((1, PollEvents::READABLE)));

    // Of two that are ready, neither is lost.
    let in_other = Poll::create(&event_loop, 3, &other).unwrap();
    in_other.start(PollEvents::WRITABLE).unwrap();
    let mut seen = Vec::new();
    while seen.len() < 4 {
        match ready(run_key) {
            Some((token, _)) => seen.push(token),
            None => seen.extend(tokens(run_key)),
        }
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, [1, 3]);
    in_other.stop();

    // A token that does not fit is left for `next`.
    drop(poll);
    let idle = Idle::create(&event_loop, 4).unwrap();
    idle.start().unwrap();
    assert_eq!(ready(run_key), None);
    assert_eq!(tokens(run_key), [4]);
    drop(idle);
    let long = Poll::create(&event_loop, NO_TOKEN, &one).unwrap();
    long.start(PollEvents::READABLE).unwrap();
    assert_eq!(ready(run_key), None);
    assert_eq!(tokens(run_key), [NO_TOKEN]);

    // So is the end of the run.
    event_loop.stop();
    assert_eq!(ready(run_key), None);
    assert!(matches!(next(run_key, 8, None, None, &[]), Ok(BatchStep::Finished(true))));
    assert_eq!(ready(run_key), None);
}
