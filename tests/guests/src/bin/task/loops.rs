//! Several loops and executors: each task is on its own, also while one runs another; and what cannot be run.

use uv_handles::task::{Executor, current_loop, sleep, spawn};
use uv_handles::{Error, Handle, Loop, Result, RunMode, StatusCode, Timer};
use uv_handles_test_guests::{Trace, assert_refused};

pub fn main() -> Result<()> {
    let (outer, inner) = (Loop::new()?, Loop::new()?);
    let executor = Executor::new(&outer);
    assert_eq!(executor.event_loop(), outer);
    assert_eq!(executor, executor.clone());

    let (here, there) = (outer.clone(), inner.clone());
    let this = executor.clone();
    executor.block_on(async move {
        assert_eq!(current_loop(), here);
        assert_refused(this.block_on(async {}), StatusCode::EBUSY);
        let other = Executor::new(&there);
        assert_ne!(other, this);
        let expected = there.clone();
        let result = other.block_on(async move {
            assert_eq!(current_loop(), expected);
            sleep(10).await?;
            let expected = expected.clone();
            let task = spawn(async move { current_loop() == expected })?;
            task.await
        });
        assert_eq!(result, Ok(Ok(true)));
        assert_eq!(current_loop(), here, "it is the running task's again");
        sleep(1).await
    })??;

    // Inside a callback.
    let timer = Timer::new(&outer)?;
    let this = executor.clone();
    timer.start_with(0, 0, move |timer| {
        assert_refused(this.block_on(async {}), StatusCode::EBUSY);
        timer.close();
    })?;
    outer.run(RunMode::Default)?;

    // Two executors of one loop, and what one leaves to the other's run.
    let trace = Trace::new();
    let second = Executor::new(&outer);
    for (executor, name, time) in [(&executor, "a", 10), (&second, "b", 20), (&executor, "c", 30)] {
        let trace = trace.clone();
        let task = async move {
            sleep(time).await?;
            trace.add(name);
            Ok::<_, Error>(())
        };
        executor.spawn(task)?.detach();
    }
    second.block_on(sleep(25))??;
    assert_eq!(trace.take(), "a b");
    outer.run(RunMode::Default)?;
    assert_eq!(trace.take(), "c");

    outer.run(RunMode::Default)?;
    inner.run(RunMode::Default)?;
    outer.close()?;
    inner.close()
}
