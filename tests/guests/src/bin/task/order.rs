//! A batch of tasks: those woken before it, in that order, each once. What is spawned or woken by it, also by
//! itself, is in the next iteration's.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Poll, Waker};
use uv_handles::task::{Executor, spawn};
use uv_handles::{Handle, Loop, Prepare, Result, RunMode};
use uv_handles_test_guests::{Trace, traces};

/// Lets the others have their turn.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(move |cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        // Twice is once.
        cx.waker().wake_by_ref();
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let trace = Trace::new();
    let prepare = Prepare::new(&event_loop)?;
    prepare.start_with(traces(&trace, "|"))?;
    prepare.dereference()?;
    let executor = Executor::new(&event_loop);

    let says = trace.clone();
    let first = async move {
        says.add("a1");
        let child = says.clone();
        spawn(async move { child.add("child") }).unwrap().detach();
        yield_now().await;
        says.add("a2");
        yield_now().await;
        says.add("a3");
    };
    executor.spawn(first)?.detach();
    let says = trace.clone();
    executor.spawn(async move { says.add("b1") })?.detach();
    let says = trace.clone();
    let third = async move {
        says.add("c1");
        yield_now().await;
        says.add("c2");
    };
    executor.spawn(third)?.detach();
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    assert_eq!(trace.take(), "a1 b1 c1 | child a2 c2 | a3 |");

    // One that wakes another which has had its turn, or which has not.
    let wakers: Rc<RefCell<Vec<Waker>>> = Rc::default();
    for name in ["x", "y", "z"] {
        let (says, wakers) = (trace.clone(), wakers.clone());
        let mut turns = 0;
        let future = std::future::poll_fn(move |cx| {
            turns += 1;
            says.add(format!("{name}{turns}"));
            if turns == 1 {
                wakers.borrow_mut().push(cx.waker().clone());
            } else if turns == 2 && name == "y" {
                // x has had its turn, z has it in this batch already, and y has it now.
                wakers.borrow().iter().for_each(Waker::wake_by_ref);
            }
            if turns == 3 { Poll::Ready(()) } else { Poll::Pending }
        });
        executor.spawn(future)?.detach();
    }
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "x1 y1 z1 |");
    // In the order of waking, whatever the order of spawning.
    for n in [2, 0, 1] {
        let waker = wakers.borrow()[n].clone();
        waker.wake();
    }
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(trace.take(), "z2 x2 y2 |");
    // Run to the end of what happens by itself.
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    assert_eq!(trace.take(), "x3 z3 y3 |", "what wakes itself is queued when its poll has returned");

    prepare.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
