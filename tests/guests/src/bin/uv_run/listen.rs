//! Accepts one client on each of two sockets, tells it where it has come to, and ends.

use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    for name in ["one", "two"] {
        let listener = Descriptor::open(name)?;
        let poll = Poll::new(&event_loop, &listener)?;
        poll.start_with(PollEvents::READABLE, move |poll, _| {
            if let Ok(client) = listener.accept() {
                let answer = format!("{name} {}", client.local_address().unwrap());
                assert_eq!(client.write(answer.as_bytes()), Ok(answer.len()));
                poll.close();
            }
        })?;
    }
    assert_refused(Descriptor::open("stdin"), StatusCode::ENOENT);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
