//! Each side of a connection ends on its own: reads a request to its end, then answers, and ends.

use std::rc::Rc;
use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode, Shutdown, StatusCode};
use uv_handles_test_guests::{assert_refused, drain};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let socket = Rc::new(Descriptor::open("socket")?);
    let poll = Poll::new(&event_loop, &socket)?;
    let mut request = Vec::new();
    poll.start_with(PollEvents::READABLE, {
        let socket = socket.clone();
        move |poll, _| {
            if drain(&socket, &mut request).unwrap() {
                request.reverse();
                assert_eq!(socket.write(&request), Ok(request.len()));
                poll.close();
            }
        }
    })?;
    event_loop.run(RunMode::Default)?;
    assert_eq!(socket.read_vec(1), Ok(vec![]), "the end stays the end");
    socket.shutdown(Shutdown::Write)?;
    assert_refused(socket.write(b"late"), StatusCode::EPIPE);
    println!("ended");
    // Until the test has read everything and closes its side.
    let poll = Poll::new(&event_loop, &socket)?;
    poll.start_with(PollEvents::DISCONNECT, |poll, _| poll.close())?;
    event_loop.run(RunMode::Default)?;

    let unread = Descriptor::open("unread")?;
    unread.shutdown(Shutdown::Read)?;
    assert_eq!(unread.write(b"still"), Ok(5));
    unread.shutdown(Shutdown::Both)?;
    assert_refused(unread.write(b"x"), StatusCode::EPIPE);
    assert_refused(Descriptor::open("udp")?.shutdown(Shutdown::Write), StatusCode::ENOTCONN);
    assert_refused(Descriptor::open("pipe")?.shutdown(Shutdown::Both), StatusCode::ENOTSOCK);
    event_loop.close()
}
