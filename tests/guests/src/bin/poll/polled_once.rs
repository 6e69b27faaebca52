//! A wait is the only poll of its iteration: what becomes ready after it comes in the next iteration.
//! With the bare interfaces.

use std::ops::ControlFlow;
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::go_on;

use uv::blocking::wait;
use uv::check::Check;
use uv::descriptors::Descriptor;
use uv::event_loop::{Loop, Run, Step};
use uv::poll::Poll;
use uv::types::{PollEvents, RunMode};

/// The token of the next event.
fn next(run: &Run) -> u64 {
    match go_on(run) {
        Ok(ControlFlow::Continue(event)) => event.token,
        other => panic!("{other:?}"),
    }
}

pub fn main() {
    let event_loop = Loop::create().unwrap();
    // The two ends of a connection.
    let [one, other] = ["one", "other"].map(|name| Descriptor::open(name).unwrap());
    let _polls = [(1, &one), (2, &other)].map(|(token, end)| {
        let poll = Poll::create(&event_loop, token, end).unwrap();
        poll.start(PollEvents::READABLE).unwrap();
        poll
    });
    let check = Check::create(&event_loop, 3).unwrap();
    check.start().unwrap();

    other.write(b"!").unwrap();
    let run = event_loop.begin(RunMode::Default).unwrap();
    assert!(matches!(run.next(), Ok(Step::Wait)));
    wait(&run).unwrap();
    one.write(b"!").unwrap();
    assert_eq!([next(&run), next(&run)], [1, 3]);
    assert_eq!(one.read(8).unwrap(), b"!");
    assert_eq!([next(&run), next(&run)], [2, 3]);
}
