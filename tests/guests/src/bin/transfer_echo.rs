//! Sends back what it reads from a connection, to the end, and prints how much that was and its hash.

use std::cell::RefCell;
use std::rc::Rc;
use uv_handles::{Descriptor, Error, Handle, Loop, Poll, PollEvents, Result, RunMode, Shutdown, StatusCode};
use uv_handles_test_guests::Hash;

/// How much it asks for at once. The host gives less.
const CHUNK: u32 = 256 * 1024;

#[derive(Default)]
struct Echo {
    /// Read and not written yet: what is left of a chunk, from this position on.
    chunk: Vec<u8>,
    written: usize,
    ended: bool,
    total: u64,
    hash: Hash,
}

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let socket = Descriptor::open("socket")?;
    let poll = Poll::new(&event_loop, &socket)?;
    let echo = Rc::new(RefCell::new(Echo::default()));
    let state = echo.clone();
    poll.start_with(PollEvents::READABLE, move |poll, ready| {
        assert!(ready.is_ok(), "{ready:?}");
        let wanted = state.borrow_mut().go_on(&socket);
        match wanted {
            Some(events) => poll.start(events).unwrap(),
            None => {
                socket.shutdown(Shutdown::Write).unwrap();
                poll.close();
            }
        }
    })?;
    event_loop.run(RunMode::Default)?;
    let echo = echo.borrow();
    println!("{} {}", echo.total, echo.hash.value());
    event_loop.close()
}

impl Echo {
    /// Writes what was read, or reads more, and answers what to wait for.
    fn go_on(&mut self, socket: &Descriptor) -> Option<PollEvents> {
        if self.written == self.chunk.len() && !self.ended {
            match socket.read_vec(CHUNK) {
                Ok(bytes) => {
                    self.ended = bytes.is_empty();
                    self.total += bytes.len() as u64;
                    self.hash.update(&bytes);
                    (self.chunk, self.written) = (bytes, 0);
                }
                Err(error) => assert_eq!(error, Error::from(StatusCode::EAGAIN)),
            }
        }
        if self.written < self.chunk.len() {
            match socket.write(&self.chunk[self.written..]) {
                Ok(written) => self.written += written,
                Err(error) => assert_eq!(error, Error::from(StatusCode::EAGAIN)),
            }
        }
        if self.written < self.chunk.len() {
            return Some(PollEvents::WRITABLE);
        }
        (!self.ended).then_some(PollEvents::READABLE)
    }
}
