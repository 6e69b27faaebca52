//! A component with async exports: each call makes a loop and awaits its run, while other calls of
//! the same instance go on.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};
use uv_handles::{Async, Handle, Idle, Loop, Result, RunMode, Timer};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_code,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "guest" });
}

struct Component;

thread_local! {
    static IN_PROGRESS: Cell<u32> = const { Cell::new(0) };
    /// The timer of `hold`, and the handle that keeps its loop alive.
    static HELD: RefCell<Option<(Timer, Async)>> = const { RefCell::new(None) };
}

/// Counts a call while it lives.
struct Call;

impl Call {
    fn begin() -> Call {
        IN_PROGRESS.set(IN_PROGRESS.get() + 1);
        Call
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        IN_PROGRESS.set(IN_PROGRESS.get() - 1);
    }
}

async fn timers(milliseconds: Vec<u64>) -> Result<Vec<u64>> {
    let event_loop = Loop::new()?;
    let order = Rc::new(RefCell::new(Vec::new()));
    for timeout in milliseconds {
        let order = order.clone();
        Timer::new(&event_loop)?.start_with(timeout, 0, move |timer| {
            order.borrow_mut().push(timeout);
            timer.close();
        })?;
    }
    event_loop.run_async(RunMode::Default).await?;
    event_loop.close()?;
    Ok(order.take())
}

async fn wait_for(name: &str, sends: u32) -> Result<u32> {
    let event_loop = Loop::new()?;
    let count = Rc::new(Cell::new(0));
    let counted = count.clone();
    let wake_up = Async::named(&event_loop, name)?;
    wake_up.set_callback(move |wake_up| {
        counted.set(counted.get() + 1);
        if counted.get() == sends {
            wake_up.close();
        }
    });
    event_loop.run_async(RunMode::Default).await?;
    event_loop.close()?;
    Ok(count.get())
}

async fn hold() -> Result<u32> {
    let event_loop = Loop::new()?;
    let calls = Rc::new(Cell::new(0));
    let (timer, keeps_alive) = (Timer::new(&event_loop)?, Async::new(&event_loop)?);
    timer.set_callback({
        let (calls, keeps_alive) = (calls.clone(), keeps_alive.clone());
        move |timer| {
            calls.set(calls.get() + 1);
            timer.close();
            keeps_alive.close();
        }
    });
    HELD.set(Some((timer, keeps_alive)));
    event_loop.run_async(RunMode::Default).await?;
    HELD.set(None);
    event_loop.close()?;
    Ok(calls.get())
}

async fn spin(name: &str) -> Result<bool> {
    let event_loop = Loop::new()?;
    let sent = Rc::new(Cell::new(false));
    let is_sent = sent.clone();
    Async::named(&event_loop, name)?.set_callback(move |wake_up| {
        is_sent.set(true);
        wake_up.event_loop().handles().iter().for_each(Handle::close);
    });
    let begun = Instant::now();
    Idle::new(&event_loop)?.start_with(move |idle| {
        if begun.elapsed() > Duration::from_secs(5) {
            idle.event_loop().handles().iter().for_each(Handle::close);
        }
    })?;
    event_loop.run_async(RunMode::Default).await?;
    event_loop.close()?;
    Ok(sent.get())
}

/// Polls a future once.
async fn once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

async fn wait_again(name: &str) -> Result<Vec<String>> {
    let lines = Rc::new(RefCell::new(Vec::new()));
    let event_loop = Loop::new()?;
    let called = lines.clone();
    let wake_up = Async::named(&event_loop, name)?;
    wake_up.set_callback(move |wake_up| {
        called.borrow_mut().push("called".to_owned());
        wake_up.close();
    });
    // Dropped while it waits: that cancels the wait, and ends the run.
    let ended = once(event_loop.run_async(RunMode::Default)).await;
    lines.borrow_mut().push(format!("first run: {ended:?}"));
    let alive = event_loop.run_async(RunMode::Default).await?;
    lines.borrow_mut().push(format!("second run: {alive}"));
    event_loop.close()?;
    Ok(lines.take())
}

impl bindings::Guest for Component {
    async fn timers(milliseconds: Vec<u64>) -> Vec<u64> {
        let _call = Call::begin();
        timers(milliseconds).await.expect("nothing is refused")
    }

    async fn wait_for(name: String, sends: u32) -> u32 {
        let _call = Call::begin();
        wait_for(&name, sends).await.expect("the name was granted")
    }

    async fn wait_again(name: String) -> Vec<String> {
        let _call = Call::begin();
        wait_again(&name).await.expect("the name was granted")
    }

    async fn spin(name: String) -> bool {
        let _call = Call::begin();
        spin(&name).await.expect("the name was granted")
    }

    async fn hold() -> u32 {
        let _call = Call::begin();
        hold().await.expect("nothing is refused")
    }

    fn touch(milliseconds: u64) {
        HELD.with_borrow(|held| {
            let (timer, _) = held.as_ref().expect("hold was called");
            timer.start(milliseconds, 0).expect("it is open");
        });
    }

    fn in_progress() -> u32 {
        IN_PROGRESS.get()
    }
}

bindings::export!(Component with_types_in bindings);
