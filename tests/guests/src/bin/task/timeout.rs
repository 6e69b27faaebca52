//! A future with a time-out: ready in time, late, ready at once; and the handles that are left of it.

use std::future::{pending, ready};
use uv_handles::task::{Executor, current_loop, sleep, timeout};
use uv_handles::{Error, Handle, Loop, Result, RunMode, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let executor = Executor::new(&event_loop);
    executor.block_on(async {
        let event_loop = current_loop();
        let begin = event_loop.now()?;
        let after = || event_loop.now().map(|now| now - begin);

        assert_eq!(timeout(100, async { sleep(40).await.map(|()| "in time") }).await??, "in time");
        assert_eq!(after(), Ok(40));
        assert_refused(timeout(100, sleep(1_000)).await, StatusCode::ETIMEDOUT);
        assert_eq!(after(), Ok(140));
        assert_refused(timeout(5, pending::<()>()).await, StatusCode::ETIMEDOUT);
        assert_eq!(after(), Ok(145));

        // The inner one, and the outer one.
        assert_refused(timeout(50, timeout(10, pending::<()>())).await?, StatusCode::ETIMEDOUT);
        assert_refused(timeout(10, timeout(50, pending::<()>())).await, StatusCode::ETIMEDOUT);
        assert_eq!(after(), Ok(165));

        // Both at the same time: the future has won.
        assert_eq!(timeout(10, sleep(10)).await, Ok(Ok(())));

        let handles = event_loop.handles().len();
        assert_eq!(timeout(0, ready(1)).await, Ok(1));
        assert_eq!(event_loop.handles().len(), handles, "no timer was made");
        Ok::<_, Error>(())
    })??;
    // The remaining timers are closed. They never fire.
    let begin = event_loop.now()?;
    assert!(event_loop.handles().iter().all(Handle::is_closing));
    event_loop.run(RunMode::Default)?;
    assert_eq!(event_loop.now()?, begin);
    event_loop.close()
}
