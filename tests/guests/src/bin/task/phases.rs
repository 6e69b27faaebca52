//! When a task goes on that a handle has woken: in the idle phase, at the beginning of the next iteration, whatever
//! the kind of the handle.

use uv_handles::task::{Executor, WakeUps, current_loop, sleep};
use uv_handles::{Async, Check, Handle, Idle, Loop, Prepare, Result, RunMode, Timer};
use uv_handles_test_guests::{Trace, traces};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let idle = Idle::new(&event_loop)?;
    idle.start_with(traces(&trace, "idle"))?;
    let prepare = Prepare::new(&event_loop)?;
    prepare.start_with(traces(&trace, "prepare"))?;
    let check = Check::new(&event_loop)?;
    check.start_with(traces(&trace, "check"))?;
    let poll_phase = Async::new(&event_loop)?;
    poll_phase.set_callback(traces(&trace, "async"));
    let timer = Timer::new(&event_loop)?;
    timer.set_callback(traces(&trace, "timer"));

    let executor = Executor::new(&event_loop);
    let says = trace.clone();
    let mut task = executor.spawn(async move {
        says.add("TASK");
        sleep(0).await?;
        says.add("SLEPT");
        let mut wake_ups = WakeUps::new(&current_loop())?;
        wake_ups.handle().send()?;
        wake_ups.recv().await;
        says.add("WOKEN");
        Ok(())
    })?;
    assert_eq!(trace.take(), "", "nothing is polled in spawn");

    // The executor's idle handle was started after ours, and stands before it.
    timer.start(0, 0)?;
    event_loop.run(RunMode::NoWait)?;
    // Its timer was started after ours.
    assert_eq!(trace.take(), "TASK idle prepare check timer");
    poll_phase.send()?;
    timer.start(0, 0)?;
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "SLEPT idle prepare async check timer");
    timer.start(0, 0)?;
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "WOKEN idle prepare check timer");
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "idle prepare check");
    assert!(task.is_finished());
    task_result(&mut task)?;

    for handle in event_loop.handles() {
        handle.close();
    }
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}

/// The result of a finished task.
fn task_result(task: &mut uv_handles::task::JoinHandle<Result<()>>) -> Result<()> {
    use std::task::{Context, Poll, Waker};
    match std::pin::Pin::new(task).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result?,
        Poll::Pending => panic!("it is finished"),
    }
}
