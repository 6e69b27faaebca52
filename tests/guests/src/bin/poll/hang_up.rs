//! A hang-up without an error reports everything that was asked for, so that the guest that reads or writes
//! sees what has happened.

use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode};
use uv_handles_test_guests::Trace;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    // A pipe without writer: there is no data, and the OS says that it hangs up, and nothing else.
    let pipe = Descriptor::open("pipe")?;
    let poll = Poll::new(&event_loop, &pipe)?;
    poll.set_callback({
        let trace = trace.clone();
        move |poll, ready| {
            assert!(poll.is_active(), "it is no error");
            trace.add(format!("{:?}", ready.unwrap()));
        }
    });
    let all = PollEvents::READABLE | PollEvents::WRITABLE | PollEvents::DISCONNECT;
    for asked in [PollEvents::READABLE, PollEvents::WRITABLE, PollEvents::DISCONNECT, all] {
        poll.start(asked)?;
        for _ in 0..2 {
            assert!(event_loop.run(RunMode::Once)?);
            assert_eq!(trace.take(), format!("{asked:?}"), "it is level-triggered too");
        }
    }
    assert_eq!(pipe.read_vec(1), Ok(vec![]));
    poll.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
