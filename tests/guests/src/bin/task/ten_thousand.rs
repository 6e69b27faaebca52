//! Ten thousand tasks that sleep, for times between nothing and a second, and end when they should.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::task::{Executor, current_loop, sleep};
use uv_handles::{Error, Loop, Result, RunMode};

const TASKS: u64 = 10_000;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let executor = Executor::new(&event_loop);
    let (done, last) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    for n in 0..TASKS {
        let (done, last) = (done.clone(), last.clone());
        let task = async move {
            let begin = current_loop().now()?;
            let time = n * 7_919 % 1_000;
            sleep(time).await?;
            let now = current_loop().now()?;
            assert_eq!(now, begin + time);
            assert!(last.replace(now) <= now);
            done.set(done.get() + 1);
            Ok::<_, Error>(())
        };
        executor.spawn(task)?.detach();
    }
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(
        event_loop.handles().len() as u64,
        TASKS + 1,
        "a timer for each, and one handle of the executor"
    );
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    assert_eq!(done.get(), TASKS);
    event_loop.close()
}
