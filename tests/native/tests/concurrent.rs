//! `Loop::run_async` on the machine itself.

use futures_util::{FutureExt, join};
use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use uv_handles::{Async, Handle, Loop, Result, RunMode, StatusCode, Timer, native};

/// Polls a future until it is ready. Every future here wakes itself.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

async fn half_a_second() -> Result<()> {
    let event_loop = Loop::new()?;
    Timer::new(&event_loop)?.start_with(500, 0, Timer::close)?;
    event_loop.run_async(RunMode::Default).await?;
    event_loop.close()
}

#[test]
fn a_run_that_awaits_moves_the_clock() -> Result<()> {
    block_on(half_a_second())?;
    assert_eq!(native::now(), 500);
    Ok(())
}

#[test]
fn other_futures_go_on_before_the_clock_moves() {
    let seen = Rc::new(Cell::new(u64::MAX));
    let place = seen.clone();
    let (result, ()) = block_on(async { join!(half_a_second(), async move { place.set(native::now()) }) });
    assert_eq!((result, seen.get()), (Ok(()), 0));
}

#[test]
fn scheduled_events_arrive_and_an_endless_wait_is_refused() -> Result<()> {
    let event_loop = Loop::new()?;
    Async::named(&event_loop, "stop")?.set_callback(Handle::close);
    native::after(30, || native::send("stop").unwrap());
    assert_eq!(block_on(event_loop.run_async(RunMode::Default)), Ok(false));
    assert_eq!(native::now(), 30);
    let _never = Async::new(&event_loop)?;
    assert_eq!(block_on(event_loop.run_async(RunMode::Default)), Err(StatusCode::ECANCELED.into()));
    Ok(())
}

#[test]
fn a_run_that_is_dropped_ends() -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    timer.start_with(5, 0, Timer::close)?;
    // Polled once: it waits.
    assert_eq!(event_loop.run_async(RunMode::Default).now_or_never(), None);
    event_loop.run(RunMode::Default)?;
    assert!(timer.is_closed());
    Ok(())
}
