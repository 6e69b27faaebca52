//! At the host's limit of handles the functions answer ENOMEM, and go on when there is room again.

use uv_handles::task::{AsyncDescriptor, Executor, Interval, Signals, WakeUps, current_loop, sleep, timeout};
use uv_handles::{Handle, Loop, Result, RunMode, Signum, StatusCode, Timer};
use uv_handles_test_guests::assert_refused;

fn fill(event_loop: &Loop) -> Vec<Timer> {
    std::iter::from_fn(|| Timer::new(event_loop).ok()).collect()
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let executor = Executor::new(&event_loop);
    assert_refused(AsyncDescriptor::open(&event_loop, "nothing"), StatusCode::ENOENT);
    assert_refused(WakeUps::named(&event_loop, "nothing"), StatusCode::ENOENT);
    assert_refused(Signals::new(&event_loop, Signum::SIGHUP), StatusCode::EACCES);
    assert_refused(Signals::new(&event_loop, Signum::SIGKILL), StatusCode::EINVAL);
    event_loop.run(RunMode::Default)?;
    assert!(event_loop.handles().is_empty(), "what was refused is closed");

    let all = fill(&event_loop);
    assert_refused(executor.spawn(async {}), StatusCode::ENOMEM);
    assert_refused(executor.block_on(async {}), StatusCode::ENOMEM);
    all[0].close();
    event_loop.run(RunMode::Default)?;
    drop(all[0].clone());
    let mut all = all;
    drop(all.swap_remove(0));

    executor.block_on(async move {
        assert_refused(sleep(1).await, StatusCode::ENOMEM);
        assert_refused(timeout(1, std::future::pending::<()>()).await, StatusCode::ENOMEM);
        assert_eq!(timeout(1, async { 7 }).await, Ok(7));
        assert_refused(Interval::new(&current_loop(), 1), StatusCode::ENOMEM);
        all.iter().for_each(Handle::close);
        // It takes a closing phase.
        let mut refused = 0;
        while sleep(1).await.is_err() {
            refused += 1;
            let mut yielded = false;
            std::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if std::mem::replace(&mut yielded, true) {
                    std::task::Poll::Ready(())
                } else {
                    std::task::Poll::Pending
                }
            })
            .await;
            drop(std::mem::take(&mut all));
        }
        assert!((1..=3).contains(&refused), "{refused}");
    })?;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
