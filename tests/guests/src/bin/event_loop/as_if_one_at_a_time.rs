//! Many timers are due at once, and the SDK gets them in batches. What the callbacks do to each other is as if
//! they had come one at a time.

use std::cell::RefCell;
use std::rc::Rc;
use uv_handles::{Handle, Loop, Result, RunMode, Timer};

const TIMERS: usize = 100;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let timers = Rc::new((0..TIMERS).map(|_| Timer::new(&event_loop)).collect::<Result<Vec<_>>>()?);
    let called = Rc::new(RefCell::new(Vec::new()));
    for (at, timer) in timers.iter().enumerate() {
        let (all, called, event_loop) = (timers.clone(), called.clone(), event_loop.clone());
        timer.start_with(10, 10, move |timer| {
            called.borrow_mut().push(at);
            // Those that are still to come are not active: they have been taken out.
            let asserted = |at: usize, active: bool| assert_eq!(all[at].is_active(), active, "{at}");
            match at {
                10 => all[20].stop(),
                11 => asserted(12, false),
                30 => timer.close(),
                31 => assert!(all[30].is_closing() && !all[30].is_active()),
                35 => {
                    timer.close();
                    asserted(34, true);
                    asserted(36, false);
                }
                40 => all[50].start(10, 0).unwrap(),
                41 => assert!(all[50].is_active()),
                45 => {
                    // Another loop, whose callbacks come in a batch too.
                    let inner = Loop::new().unwrap();
                    for _ in 0..3 {
                        let timer = Timer::new(&inner).unwrap();
                        timer.start_with(0, 0, |timer| timer.close()).unwrap();
                    }
                    assert_eq!(inner.run(RunMode::Default), Ok(false));
                    assert_eq!(inner.close(), Ok(()));
                }
                60 => all[61].close(),
                70 => {
                    timer.stop();
                    timer.set_repeat(0).unwrap();
                }
                99 => event_loop.stop(),
                _ => {}
            }
        })?;
    }
    assert!(event_loop.run(RunMode::Default)?);
    let not_called = [20, 50, 61];
    let expected: Vec<usize> = (0..TIMERS).filter(|at| !not_called.contains(at)).collect();
    assert_eq!(*called.borrow(), expected);
    let active = timers.iter().filter(|timer| timer.is_active()).count();
    assert_eq!(active, TIMERS - [20, 30, 35, 61, 70].len());

    // All of them are closed, each in its own callback.
    called.borrow_mut().clear();
    for (at, timer) in timers.iter().enumerate().filter(|(_, timer)| !timer.is_closing()) {
        let called = called.clone();
        timer.start_with(5, 0, move |timer| {
            let called = called.clone();
            timer.close_with(move |_| called.borrow_mut().push(at));
        })?;
    }
    assert!(!event_loop.run(RunMode::Default)?);
    let open = (0..TIMERS).filter(|at| ![30, 35, 61].contains(at));
    let last_first: Vec<usize> = open.collect::<Vec<_>>().into_iter().rev().collect();
    assert_eq!(*called.borrow(), last_first);
    assert!(timers.iter().all(|timer| timer.is_closed()));
    drop(timers);
    event_loop.close()
}
