//! Standard input as a stream of WASI: its pollable tells when there is something to read.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Handle, Loop, Poll, PollEvents, Result, RunMode, Timer};
use wasip2::cli::stdin::get_stdin;
use wasip2::io::streams::StreamError;

pub fn main() -> Result<()> {
    let (event_loop, stream) = (Loop::new()?, get_stdin());
    let poll = Poll::on_pollable(&event_loop, stream.subscribe())?;
    let ticks = Rc::new(Cell::new(0));
    let timer = Timer::new(&event_loop)?;
    let counts = ticks.clone();
    timer.start_with(5, 5, move |_| counts.set(counts.get() + 1))?;
    timer.dereference()?;
    let mut bytes = 0;
    poll.start_with(PollEvents::READABLE, move |poll, _| match stream.read(4096) {
        Ok(read) if read.is_empty() => {}
        Ok(read) => {
            bytes += read.len();
            println!("{bytes} bytes");
        }
        Err(StreamError::Closed) => {
            println!("end after {bytes} bytes");
            poll.close();
        }
        Err(error) => panic!("{error}"),
    })?;
    println!("ready");
    event_loop.run(RunMode::Default)?;
    println!("the timer has {} meanwhile", if ticks.get() > 0 { "fired" } else { "not fired" });
    timer.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
