//! After a loop is closed, another one starts from nothing, again and again.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Error, Handle, Loop, Result, RunMode, Timer};

pub fn main() -> Result<()> {
    let calls = Rc::new(Cell::new(0));
    let mut closed: Vec<Loop> = Vec::new();
    for turn in 1..=3 {
        let event_loop = Loop::new()?;
        assert!(!event_loop.is_alive() && event_loop.handles().is_empty() && !event_loop.is_closed());
        let timer = Timer::new(&event_loop)?;
        timer.start_with(1, 0, {
            let calls = calls.clone();
            move |timer| {
                calls.set(calls.get() + 1);
                timer.close();
            }
        })?;
        assert!(!event_loop.run(RunMode::Default)?);
        assert_eq!(calls.get(), turn);
        event_loop.close()?;
        closed.push(event_loop);
        for event_loop in &closed {
            assert_eq!(event_loop.run(RunMode::Default), Err(Error::LoopClosed));
        }
    }
    Ok(())
}
