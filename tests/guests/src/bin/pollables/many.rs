//! A thousand pollables that are not ready, beside a timer and one that is; then all of them at once.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Handle, Loop, Poll, PollEvents, Result, RunMode, Timer};
use wasip2::clocks::monotonic_clock::{now, subscribe_duration, subscribe_instant};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let idle = (0..1_000)
        .map(|_| {
            let poll = Poll::on_pollable(&event_loop, subscribe_duration(u64::MAX))?;
            poll.start_with(PollEvents::READABLE, |_, _| unreachable!("it is in 500 years"))?;
            Ok(poll)
        })
        .collect::<Result<Vec<Poll>>>()?;
    let (mut ticks, mut wakes) = (0, 0);
    Timer::new(&event_loop)?.start_with(1, 1, move |timer| {
        ticks += 1;
        if ticks == 100 {
            timer.close();
        }
    })?;
    let often = Poll::on_pollable(&event_loop, subscribe_instant(0))?;
    often.start_with(PollEvents::READABLE, move |poll, _| {
        wakes += 1;
        if wakes == 100 {
            poll.close();
            idle.iter().for_each(Handle::close);
        }
    })?;
    event_loop.run(RunMode::Default)?;

    let (due, called) = (now() + 20_000_000, Rc::new(Cell::new(0)));
    for _ in 0..1_000 {
        let poll = Poll::on_pollable(&event_loop, subscribe_instant(due))?;
        let called = called.clone();
        poll.start_with(PollEvents::READABLE, move |poll, _| {
            called.set(called.get() + 1);
            poll.close();
        })?;
    }
    event_loop.run(RunMode::Default)?;
    assert_eq!(called.get(), 1_000);
    event_loop.close()
}
