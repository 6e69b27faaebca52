//! Wakers, wherever they are used: in callbacks, twice, while the task runs, when it has ended, when its executor and
//! its loop are gone.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use uv_handles::task::Executor;
use uv_handles::{Handle, Loop, Result, RunMode, Timer};

/// A future that leaves its waker, and is ready when told to.
struct Waits {
    waker: Mutex<Option<Waker>>,
    ready: Mutex<bool>,
}

fn waits(polls: &Rc<Cell<u32>>) -> (Arc<Waits>, impl Future<Output = ()> + 'static) {
    let waits = Arc::new(Waits { waker: Mutex::default(), ready: Mutex::default() });
    let (inner, polls) = (waits.clone(), polls.clone());
    let future = std::future::poll_fn(move |cx| {
        polls.set(polls.get() + 1);
        *inner.waker.lock().unwrap() = Some(cx.waker().clone());
        if *inner.ready.lock().unwrap() { Poll::Ready(()) } else { Poll::Pending }
    });
    (waits, future)
}

impl Waits {
    fn waker(&self) -> Waker {
        self.waker.lock().unwrap().clone().unwrap()
    }
}

fn assert_send_and_sync<T: Send + Sync>(_: &T) {}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let executor = Executor::new(&event_loop);
    let polls = Rc::new(Cell::new(0));

    let (waits, future) = self::waits(&polls);
    let task = executor.spawn(future)?;
    event_loop.run(RunMode::Default)?;
    assert_eq!(polls.get(), 1);
    let waker = waits.waker();
    assert_send_and_sync(&waker);

    // Between two runs, often: one poll.
    for _ in 0..3 {
        waker.wake_by_ref();
    }
    assert_eq!(polls.get(), 1, "never inside the wake");
    event_loop.run(RunMode::Default)?;
    assert_eq!(polls.get(), 2);

    // In a callback.
    let timer = Timer::new(&event_loop)?;
    let (wakes, seen) = (waits.clone(), polls.clone());
    timer.start_with(10, 0, move |timer| {
        *wakes.ready.lock().unwrap() = true;
        wakes.waker().wake();
        assert_eq!(seen.get(), 2);
        timer.close();
    })?;
    event_loop.run(RunMode::Default)?;
    assert_eq!(polls.get(), 3);
    assert!(task.is_finished());

    // Of a task that has ended; the executor has no handle any more.
    assert!(event_loop.handles().is_empty());
    waker.wake_by_ref();
    assert!(!event_loop.is_alive());

    // Of a task that was aborted.
    let (waits, future) = self::waits(&polls);
    let task = executor.spawn(future)?;
    event_loop.run(RunMode::Default)?;
    let aborted = waits.waker();
    task.abort();
    aborted.wake_by_ref();
    event_loop.run(RunMode::Default)?;
    aborted.wake_by_ref();
    assert_eq!(polls.get(), 4);
    assert!(event_loop.handles().is_empty());

    // Of one that was dropped with the loop's handles: while they are closing, and afterwards.
    let (waits, future) = self::waits(&polls);
    let task = executor.spawn(future)?;
    event_loop.run(RunMode::Default)?;
    let dropped = waits.waker();
    event_loop.handles().iter().for_each(Handle::close);
    dropped.wake_by_ref();
    event_loop.run(RunMode::Default)?;
    dropped.wake_by_ref();
    assert_eq!(polls.get(), 5);
    assert!(task.is_finished() && event_loop.handles().is_empty());

    // When executor and loop are gone as well.
    drop((executor, task));
    event_loop.close()?;
    drop(event_loop);
    for waker in [waker, aborted, dropped] {
        waker.wake_by_ref();
        waker.wake();
    }
    assert_eq!(polls.get(), 5);
    Ok(())
}
