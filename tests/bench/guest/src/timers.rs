//! Timers.

use crate::control;
use crate::random::Random;
use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Handle, Idle, Loop, Result, RunMode, Timer};

thread_local! {
    // As in libuv's own benchmark: callbacks count in variables of the program.
    static FIRED: Cell<u64> = const { Cell::new(0) };
    static CLOSED: Cell<u64> = const { Cell::new(0) };
}

fn add(to: &'static std::thread::LocalKey<Cell<u64>>) {
    to.set(to.get() + 1);
}

pub fn as_million_timers(at: u64) -> u64 {
    at / 1000 + 1
}

pub fn within_a_minute() -> impl FnMut(u64) -> u64 {
    let mut random = Random::new();
    move |_| random.next() % 60_000
}

pub fn within_100_ms(at: u64) -> u64 {
    at % 100 + 1
}

/// Makes, starts, fires and closes timers, again and again.
pub fn make_start_fire_close(many: u64, times: u64, mut timeout: impl FnMut(u64) -> u64) -> Result<()> {
    let event_loop = Loop::new()?;
    let mut timers = Vec::with_capacity(many as usize);
    control::begin();
    for _ in 0..times {
        for at in 0..many {
            let timer = Timer::new(&event_loop)?;
            timer.start_with(timeout(at), 0, |_| add(&FIRED))?;
            timers.push(timer);
        }
        event_loop.run(RunMode::Default)?;
        for timer in timers.drain(..) {
            timer.close_with(|_| add(&CLOSED));
        }
        event_loop.run(RunMode::Default)?;
    }
    control::end();
    event_loop.close()?;
    control::count("operations", many * times);
    control::count("fired", FIRED.get());
    control::count("closed", CLOSED.get());
    Ok(())
}

pub fn repeating(many: u64, period: u64, calls: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    for _ in 0..many {
        let timer = Timer::new(&event_loop)?;
        let mut left = calls;
        timer.start_with(period, period, move |timer| {
            add(&FIRED);
            left -= 1;
            if left == 0 {
                timer.close_with(|_| add(&CLOSED));
            }
        })?;
    }
    control::begin();
    event_loop.run(RunMode::Default)?;
    control::end();
    event_loop.close()?;
    control::count("operations", FIRED.get());
    control::count("closed", CLOSED.get());
    Ok(())
}

/// Timeouts of requests: of many that are pending, one is stopped and started again.
pub fn timeouts(pending: u64, times: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    let timers: Rc<[Timer]> = (0..pending).map(|_| Timer::new(&event_loop)).collect::<Result<_>>()?;
    for timer in timers.iter() {
        timer.start_with(30_000, 0, |_| add(&FIRED))?;
    }
    let idle = Idle::new(&event_loop)?;
    let (requests, owner) = (timers.clone(), event_loop.clone());
    let (mut left, mut random) = (times, Random::new());
    idle.start_with(move |_| {
        // As many requests as a busy iteration sees.
        for _ in 0..left.min(100) {
            let timer = &requests[(random.next() % pending) as usize];
            timer.stop();
            timer.start(30_000, 0).expect("it is open");
            left -= 1;
        }
        if left == 0 {
            owner.stop();
        }
    })?;
    control::begin();
    event_loop.run(RunMode::Default)?;
    control::end();
    for timer in timers.iter() {
        timer.close_with(|_| add(&CLOSED));
    }
    idle.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()?;
    control::count("operations", times);
    control::count("fired", FIRED.get());
    control::count("closed", CLOSED.get());
    Ok(())
}

/// A timer that restarts itself a number of times, beside others that are not due.
pub fn restarts(pending: u64, times: u64, timeout: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    let others: Vec<Timer> = (0..pending).map(|_| Timer::new(&event_loop)).collect::<Result<_>>()?;
    for (at, timer) in others.iter().enumerate() {
        timer.start_with(60_000 + at as u64, 0, |_| add(&CLOSED))?;
    }
    let timer = Timer::new(&event_loop)?;
    let owner = event_loop.clone();
    let mut left = times;
    timer.start_with(timeout, 0, move |timer| {
        add(&FIRED);
        left -= 1;
        match left {
            0 => owner.stop(),
            _ => timer.start(timeout, 0).expect("it is open"),
        }
    })?;
    control::begin();
    event_loop.run(RunMode::Default)?;
    control::end();
    others.iter().chain([&timer]).for_each(Timer::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()?;
    control::count("operations", FIRED.get());
    Ok(())
}

/// The memory that a timer takes, here and in the host.
pub fn memory(many: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    control::memory("before");
    let mut timers = Vec::with_capacity(many as usize);
    for _ in 0..many {
        let timer = Timer::new(&event_loop)?;
        timer.start_with(60_000, 0, |_| add(&FIRED))?;
        timers.push(timer);
    }
    control::memory("after");
    timers.iter().for_each(Timer::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()?;
    control::count("operations", many);
    Ok(())
}

/// One timer that repeats forever and reports each of its calls.
pub fn ticks(period: u64) -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(period, period, |_| control::answer())?;
    control::begin();
    event_loop.run(RunMode::Default)?;
    Ok(())
}
