//! A loop is alive while a task is to be polled or waits for a handle; a task as such does not keep it alive. And what
//! becomes of tasks whose loop's handles are closed.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use uv_handles::task::{Executor, sleep};
use uv_handles::{Error, Handle, Idle, Loop, Result, RunMode, StatusCode, Timer};
use uv_handles_test_guests::{assert_refused, pass_time};

struct Probe(Rc<Cell<u32>>);

impl Drop for Probe {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let executor = Executor::new(&event_loop);
    assert!(!event_loop.is_alive() && event_loop.handles().is_empty());

    // Due, a task keeps it alive; when it has ended, nothing is left.
    executor.spawn(async {})?.detach();
    assert!(event_loop.is_alive());
    assert_eq!(event_loop.poll_timeout(), Ok(Some(0)));
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    assert!(event_loop.handles().is_empty());

    // A sleeping one keeps it alive by its timer alone.
    executor.spawn(sleep(500))?.detach();
    let begin = event_loop.now()?;
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(event_loop.poll_timeout(), Ok(Some(500)));
    let active = event_loop.handles().into_iter().filter(Handle::is_active).count();
    assert_eq!(active, 1);
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    assert_eq!(event_loop.now()? - begin, 500);
    assert!(event_loop.handles().is_empty());

    // One that waits for nothing that can happen does not; nor is it lost.
    let dropped = Rc::new(Cell::new(0));
    let probe = Probe(dropped.clone());
    executor
        .spawn(async move {
            let _probe = probe;
            pending::<()>().await;
        })?
        .detach();
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    assert_eq!(dropped.get(), 0);
    assert_refused(event_loop.close(), StatusCode::EBUSY);

    // It cannot be waited for.
    assert_refused(executor.block_on(pending::<()>()), StatusCode::ECANCELED);
    let stops = event_loop.clone();
    let stopped = executor.block_on(async move {
        stops.stop();
        sleep(1).await
    });
    assert_refused(stopped, StatusCode::ECANCELED);
    // The aborted ones are dropped when they would have been polled.
    event_loop.run(RunMode::Default)?;
    let open = event_loop.handles().iter().filter(|handle| !handle.is_closing()).count();
    assert_eq!(open, 1, "the executor's, for the task that is left");

    // Closing everything ends it. What is spawned before the end of that is not ended.
    let probe = Probe(dropped.clone());
    let late = executor.spawn(async move {
        let _probe = probe;
        sleep(1_000).await
    })?;
    event_loop.run(RunMode::NoWait)?;
    for handle in event_loop.handles() {
        handle.close();
    }
    assert_eq!(dropped.get(), 0, "not inside close");
    let survivor = executor.spawn(async { sleep(5).await.map(|()| "survived") })?;
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    assert_eq!(dropped.get(), 2);
    assert_refused(executor.block_on(late)?, StatusCode::ECANCELED);
    assert_eq!(executor.block_on(survivor), Ok(Ok(Ok("survived"))));

    // A task that is dropped so may spawn another, which lives.
    struct Spawns(Executor, Rc<Cell<bool>>);
    impl Drop for Spawns {
        fn drop(&mut self) {
            let done = self.1.clone();
            self.0.spawn(async move { done.set(true) }).unwrap().detach();
        }
    }
    let done = Rc::new(Cell::new(false));
    let spawns = Spawns(executor.clone(), done.clone());
    executor
        .spawn(async move {
            let _spawns = spawns;
            pending::<()>().await;
        })?
        .detach();
    event_loop.run(RunMode::NoWait)?;
    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    assert!(done.get());

    // An executor that was dropped goes on with its tasks.
    let done = Rc::new(Cell::new(false));
    let says = done.clone();
    Executor::new(&event_loop)
        .spawn(async move {
            sleep(10).await.unwrap();
            says.set(true);
        })?
        .detach();
    event_loop.run(RunMode::Default)?;
    assert!(done.get());

    // While tasks are due, the loop does not wait, but it does everything else.
    let timer = Timer::new(&event_loop)?;
    timer.start_with(20, 0, Timer::close)?;
    let timer_is_there = timer.clone();
    let polls = Rc::new(Cell::new(0));
    let count = polls.clone();
    let spins = std::future::poll_fn(move |cx| {
        count.set(count.get() + 1);
        if timer_is_there.is_closing() {
            return std::task::Poll::Ready(());
        }
        pass_time(1).unwrap();
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    });
    executor.block_on(spins)?;
    assert_eq!(polls.get(), 21);
    event_loop.run(RunMode::Default)?;

    assert!(event_loop.handles().is_empty());
    event_loop.close()?;
    assert_eq!(executor.spawn(async {}).err(), Some(Error::LoopClosed));
    assert_eq!(executor.block_on(async {}), Err(Error::LoopClosed));
    assert!(Idle::new(&event_loop).is_err());
    Ok(())
}
