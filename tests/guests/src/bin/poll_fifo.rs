//! Reads a named pipe to its end, and tells how many bytes that were and what they add up to.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode};
use uv_handles_test_guests::drain;

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let fifo = Descriptor::open("fifo")?;
    let total = Rc::new(Cell::new((0, 0)));
    let poll = Poll::new(&event_loop, &fifo)?;
    poll.start_with(PollEvents::READABLE, {
        let total = total.clone();
        move |poll, ready| {
            assert_eq!(ready, Ok(PollEvents::READABLE));
            let mut bytes = Vec::new();
            let end = drain(&fifo, &mut bytes).unwrap();
            let (count, sum) = total.get();
            total.set((count + bytes.len(), sum + bytes.iter().copied().map(u64::from).sum::<u64>()));
            if end {
                poll.close();
            }
        }
    })?;
    println!("ready");
    event_loop.run(RunMode::Default)?;
    let (count, sum) = total.get();
    println!("{count} bytes, sum {sum}");
    event_loop.close()
}
