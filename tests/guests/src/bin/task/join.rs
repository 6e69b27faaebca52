//! The end of a task: its result, or ECANCELED when it is aborted - before it was polled, while it waits, while
//! it runs, when it has ended - and then its future is dropped, with all its handles.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use uv_handles::task::{Executor, JoinHandle, current_loop, sleep, spawn};
use uv_handles::{Error, Handle, Loop, Result, RunMode, StatusCode, Timer};
use uv_handles_test_guests::assert_refused;

/// Tells when it is dropped.
struct Probe(Rc<Cell<bool>>);

impl Drop for Probe {
    fn drop(&mut self) {
        assert!(!self.0.replace(true), "once");
    }
}

fn probe() -> (Probe, Rc<Cell<bool>>) {
    let dropped = Rc::new(Cell::new(false));
    (Probe(dropped.clone()), dropped)
}

/// The ways to abort a task, from outside or from inside.
type Place = Rc<RefCell<Option<JoinHandle<()>>>>;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let executor = Executor::new(&event_loop);

    executor.block_on(async {
        // A result, for one that waits for it and for one that comes late.
        let task = spawn(async { sleep(10).await.map(|()| 7) })?;
        assert!(!task.is_finished());
        assert_eq!(task.await, Ok(Ok(7)));
        let mut task = spawn(async { "result" })?;
        sleep(10).await?;
        assert!(task.is_finished());
        assert_eq!((&mut task).await, Ok("result"));
        assert_refused((&mut task).await, StatusCode::ECANCELED);

        // Not polled yet.
        let (probe, dropped) = probe();
        let task = spawn(async move {
            let _probe = probe;
            panic!("it is never polled");
        })?;
        task.abort();
        assert!(task.is_finished() && !dropped.get());
        sleep(0).await?;
        assert!(dropped.get());
        assert_refused::<()>(task.await, StatusCode::ECANCELED);

        // While it waits: its timer is closed, or the loop would go on for a day.
        let (probe, dropped) = self::probe();
        let task = spawn(async move {
            let _probe = probe;
            sleep(86_400_000).await
        })?;
        sleep(0).await?;
        let handles = current_loop().handles().iter().filter(|handle| !handle.is_closing()).count();
        task.abort();
        task.abort();
        sleep(0).await?;
        assert!(dropped.get());
        let left = current_loop().handles().iter().filter(|handle| !handle.is_closing()).count();
        assert_eq!(left, handles - 1);
        assert_refused(task.await, StatusCode::ECANCELED);

        // Ended already: the result is gone.
        let task = spawn(async {})?;
        sleep(0).await?;
        task.abort();
        assert_refused(task.await, StatusCode::ECANCELED);

        // Dropping it detaches.
        let (probe, dropped) = self::probe();
        drop(spawn(async move {
            let _probe = probe;
            sleep(10).await
        })?);
        sleep(5).await?;
        assert!(!dropped.get());
        sleep(10).await?;
        assert!(dropped.get());
        Ok::<_, Error>(())
    })??;

    // By itself: it goes on until it waits.
    let place = Place::default();
    let (own, (probe, dropped)) = (place.clone(), probe());
    let went_on = Rc::new(Cell::new(false));
    let says = went_on.clone();
    let task = executor.spawn(async move {
        let _probe = probe;
        own.borrow().as_ref().unwrap().abort();
        says.set(true);
        sleep(0).await.unwrap();
        panic!("it is gone");
    })?;
    place.replace(Some(task));
    event_loop.run(RunMode::Default)?;
    assert!(went_on.get() && dropped.get());
    let aborted = place.take().unwrap();
    assert_refused(executor.block_on(aborted)?, StatusCode::ECANCELED);

    // By itself, and without waiting again: it has ended all the same.
    let place = Place::default();
    let own = place.clone();
    let task = executor.spawn(async move { own.borrow().as_ref().unwrap().abort() })?;
    place.replace(Some(task));
    event_loop.run(RunMode::Default)?;

    // By a callback, and one that waits for it learns of it.
    let task = Rc::new(executor.spawn(std::future::pending::<()>())?);
    let timer = Timer::new(&event_loop)?;
    let aborts = Rc::downgrade(&task);
    timer.start_with(10, 0, move |timer| {
        aborts.upgrade().unwrap().abort();
        timer.close();
    })?;
    event_loop.run(RunMode::Default)?;
    let task = Rc::into_inner(task).unwrap();
    assert_refused(executor.block_on(task)?, StatusCode::ECANCELED);

    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
