//! Reading an input to its end: what several guests do with descriptors of different kinds.

use crate::drain;
use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode};

/// Reads a granted descriptor to its end, and prints how many bytes that were and what they add up to.
pub fn print_sum_of(name: &str) -> Result<()> {
    let event_loop = Loop::new()?;
    let input = Descriptor::open(name)?;
    let total = Rc::new(Cell::new((0, 0)));
    let poll = Poll::new(&event_loop, &input)?;
    poll.start_with(PollEvents::READABLE, {
        let total = total.clone();
        move |poll, ready| {
            assert_eq!(ready, Ok(PollEvents::READABLE));
            let mut bytes = Vec::new();
            let end = drain(&input, &mut bytes).unwrap();
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
