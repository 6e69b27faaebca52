//! Copies what comes from one descriptor to another, both named by its arguments, in upper case. It
//! may be the same one twice. It ends with its input, or with a line that is `end`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use uv_handles::{Descriptor, Error, Handle, Loop, Poll, PollEvents, Result, RunMode, StatusCode};

struct Copying {
    from: Rc<Descriptor>,
    to: Rc<Descriptor>,
    reads: Poll,
    writes: Poll,
    /// The bytes that were read and not written yet.
    rest: RefCell<Vec<u8>>,
    ends: Cell<bool>,
    failure: Cell<Option<Error>>,
}

impl Copying {
    /// Goes on until one of the two is not ready.
    fn step(&self) {
        let result = self.copy();
        if !matches!(result, Ok(false)) {
            self.failure.set(result.err());
            self.reads.close();
            self.writes.close();
        }
    }

    /// Answers whether everything is copied.
    fn copy(&self) -> Result<bool> {
        let mut rest = self.rest.borrow_mut();
        loop {
            while !rest.is_empty() {
                match self.to.write(&rest) {
                    Ok(written) => drop(rest.drain(..written)),
                    Err(Error::Status(StatusCode::EAGAIN)) => {
                        self.reads.stop();
                        return self.writes.start(PollEvents::WRITABLE).map(|()| false);
                    }
                    Err(error) => return Err(error),
                }
            }
            if self.ends.get() {
                return Ok(true);
            }
            match self.from.read_vec(65_536) {
                Ok(bytes) => {
                    self.ends.set(bytes.is_empty() || bytes.ends_with(b"end\n"));
                    *rest = bytes.to_ascii_uppercase();
                }
                Err(Error::Status(StatusCode::EAGAIN)) => {
                    self.writes.stop();
                    return self.reads.start(PollEvents::READABLE).map(|()| false);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

pub fn main() -> Result<()> {
    let names: Vec<String> = uv_handles_test_guests::args().collect();
    let event_loop = Loop::new()?;
    let from = Rc::new(Descriptor::open(&names[0])?);
    let to = if names[0] == names[1] { from.clone() } else { Rc::new(Descriptor::open(&names[1])?) };
    let copy = Rc::new(Copying {
        reads: Poll::new(&event_loop, &from)?,
        writes: Poll::new(&event_loop, &to)?,
        from,
        to,
        rest: RefCell::default(),
        ends: Cell::new(false),
        failure: Cell::new(None),
    });
    for poll in [&copy.reads, &copy.writes] {
        let copy = copy.clone();
        poll.set_callback(move |_, _| copy.step());
    }
    // A read from a FIFO that has had no writer returns its end: poll first.
    copy.reads.start(PollEvents::READABLE)?;
    eprintln!("ready");
    event_loop.run(RunMode::Default)?;
    copy.failure.take().map_or(Ok(()), Err)
}
