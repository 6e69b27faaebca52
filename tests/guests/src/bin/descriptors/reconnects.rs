//! Reads a granted connection to its end and opens it again, until that fails.

use std::cell::RefCell;
use std::rc::Rc;
use uv_handles::{Descriptor, Error, Handle, Loop, Poll, PollEvents, Result, RunMode};

/// Reads to the end of the connection.
fn read_all(socket: Descriptor) -> Result<String> {
    let event_loop = Loop::new()?;
    let poll = Poll::new(&event_loop, &socket)?;
    let text = Rc::new(RefCell::new(Vec::new()));
    let into = text.clone();
    poll.start_with(PollEvents::READABLE, move |poll, ready| {
        match ready.map_err(Into::into).and_then(|_| socket.read_vec(4096)) {
            Ok(bytes) if bytes.is_empty() => poll.close(),
            Ok(bytes) => into.borrow_mut().extend(bytes),
            Err(error) => panic!("{error}"),
        }
    })?;
    event_loop.run(RunMode::Default)?;
    event_loop.close()?;
    Ok(String::from_utf8_lossy(&text.take()).into_owned())
}

pub fn main() -> Result<()> {
    loop {
        match Descriptor::open("peer") {
            Ok(socket) => println!("{}", read_all(socket)?),
            Err(Error::Status(status)) => {
                println!("{}", status.name());
                return Ok(());
            }
            Err(error) => return Err(error),
        }
    }
}
