//! Sleeping takes the time that it says, in the order of the deadlines, and the same one after the other.

use uv_handles::task::{Executor, current_loop, sleep, spawn};
use uv_handles::{Error, Loop, Result, RunMode};
use uv_handles_test_guests::Trace;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let executor = Executor::new(&event_loop);
    let trace = Trace::new();
    let begin = event_loop.now()?;
    for milliseconds in [30, 10, 20, 10, 0] {
        let trace = trace.clone();
        let task = async move {
            sleep(milliseconds).await?;
            trace.add(format!("{milliseconds}@{}", current_loop().now()? - begin));
            Ok::<_, Error>(())
        };
        executor.spawn(task)?.detach();
    }
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    assert_eq!(trace.take(), "0@0 10@10 10@10 20@20 30@30");

    let elapsed = executor.block_on(async {
        let event_loop = current_loop();
        let begin = event_loop.now()?;
        for _ in 0..1_000 {
            sleep(7).await?;
        }
        let elapsed = event_loop.now()? - begin;
        // A day is as good as anything.
        spawn(sleep(86_400_000))?.await??;
        assert_eq!(event_loop.now()? - begin, elapsed + 86_400_000);
        Ok::<_, Error>(elapsed)
    })?;
    assert_eq!(elapsed, Ok(7_000));

    // The time counts from the first poll, and nothing exists before.
    executor.block_on(async {
        let event_loop = current_loop();
        let handles = event_loop.handles().len();
        let late = sleep(10);
        assert_eq!(event_loop.handles().len(), handles);
        sleep(100).await?;
        let begin = event_loop.now()?;
        late.await?;
        assert_eq!(event_loop.now()? - begin, 10);

        // Dropped, it is closed.
        let mut dropped = sleep(1_000_000);
        assert!(futures_util::poll!(&mut dropped).is_pending());
        let handles = event_loop.handles().len();
        drop(dropped);
        sleep(0).await?;
        sleep(0).await?;
        assert!(event_loop.handles().len() < handles);
        assert!(event_loop.now()? < begin + 1_000);
        Ok::<_, Error>(())
    })??;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
