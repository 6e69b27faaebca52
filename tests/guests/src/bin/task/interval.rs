//! Ticks: at their times, merged while no task waits, as a stream, and over when it is dropped.

use futures_util::StreamExt;
use uv_handles::task::{Executor, Interval, current_loop, interval, sleep, timeout};
use uv_handles::{Error, Handle, Loop, Result, RunMode, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    assert_refused(Interval::new(&event_loop, 0), StatusCode::EINVAL);
    let executor = Executor::new(&event_loop);
    let mut ticks = Interval::new(&event_loop, 100)?;
    let ticks = executor.block_on(async move {
        let event_loop = current_loop();
        let begin = event_loop.now()?;
        let after = || event_loop.now().map(|now| now - begin);
        for n in 1..=3 {
            ticks.tick().await;
            assert_eq!(after(), Ok(n * 100));
        }
        // Three come meanwhile. They are one, and the next is in time.
        sleep(350).await?;
        ticks.tick().await;
        assert_eq!(after(), Ok(650));
        ticks.tick().await;
        assert_eq!(after(), Ok(700));
        // A wait that is dropped loses none.
        assert_refused(timeout(99, ticks.tick()).await, StatusCode::ETIMEDOUT);
        assert_eq!(after(), Ok(799));
        ticks.tick().await;
        assert_eq!(after(), Ok(800));
        // Also if the tick comes between the end of the wait and the next one.
        assert_refused(timeout(50, ticks.tick()).await, StatusCode::ETIMEDOUT);
        sleep(100).await?;
        ticks.tick().await;
        assert_eq!(after(), Ok(950));

        ticks.timer().set_repeat(10)?;
        ticks.timer().again()?;
        ticks.tick().await;
        assert_eq!(after(), Ok(960));

        let other = interval(1_000)?;
        assert_eq!(other.take(3).count().await, 3);
        assert_eq!(after(), Ok(3_960));
        Ok::<_, Error>(ticks)
    })??;
    // It keeps the loop alive, unless it is told not to.
    assert!(event_loop.is_alive());
    ticks.timer().dereference()?;
    event_loop.run(RunMode::Default)?;
    assert!(!event_loop.is_alive());
    drop(ticks);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
