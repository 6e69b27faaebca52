//! Callbacks and tasks in one program, each causing the other.

use std::cell::RefCell;
use std::rc::Rc;
use uv_handles::task::{Executor, Interval, WakeUps, current_loop, sleep, spawn};
use uv_handles::{Check, Handle, Idle, Loop, Result, RunMode, Timer};
use uv_handles_test_guests::Trace;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let executor = Executor::new(&event_loop);
    let trace = Trace::new();

    // A callback that spawns: a task for each tick.
    let timer = Timer::new(&event_loop)?;
    let (spawns, says) = (executor.clone(), trace.clone());
    let mut ticks = 0;
    timer.start_with(10, 10, move |timer| {
        ticks += 1;
        says.add(format!("tick{ticks}"));
        let says = says.clone();
        let tick = ticks;
        let task = async move {
            sleep(5).await.unwrap();
            says.add(format!("task{tick}"));
        };
        spawns.spawn(task).unwrap().detach();
        if ticks == 3 {
            timer.close();
        }
    })?;
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.take(), "tick1 task1 tick2 task2 tick3 task3");

    // A queue that a callback fills and a task empties, woken by an async handle.
    let queue: Rc<RefCell<Vec<u32>>> = Rc::default();
    let mut filled = WakeUps::new(&event_loop)?;
    let (sender, fills) = (filled.handle().clone(), queue.clone());
    let timer = Timer::new(&event_loop)?;
    let mut next = 0;
    timer.start_with(1, 1, move |timer| {
        // Two at a time: one wake-up.
        for _ in 0..2 {
            fills.borrow_mut().push(next);
            sender.send().unwrap();
            next += 1;
        }
        if next == 10 {
            timer.close();
        }
    })?;
    let received = executor.block_on(async move {
        let mut received = Vec::new();
        while received.len() < 10 {
            filled.recv().await;
            received.append(&mut queue.borrow_mut());
        }
        received
    })?;
    assert_eq!(received, (0..10).collect::<Vec<_>>());

    // A task that makes handles with callbacks, and one that stops them.
    let says = trace.clone();
    executor.block_on(async move {
        let event_loop = current_loop();
        let check = Check::new(&event_loop)?;
        let mut checks = 0;
        let idle = Idle::new(&event_loop)?;
        idle.start()?;
        check.start_with(move |check| {
            checks += 1;
            if checks == 100 {
                says.add("checked");
                check.close();
                idle.close();
            }
        })?;
        let mut interval = Interval::new(&event_loop, 10)?;
        let watcher = spawn(async move {
            while !check.is_closed() {
                interval.tick().await;
            }
        })?;
        watcher.await
    })??;
    assert_eq!(trace.take(), "checked");

    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
