//! Callbacks that fail, labels, and tasks that callbacks spawn, on the machine itself.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use uv_handles::task::{Executor, current_loop, interval, sleep, spawn};
use uv_handles::{
    AnyHandle, CallbackError, Error, Handle, Idle, Loop, Poll, PollEvents, Result, RunMode, Signal, Signum,
    StatusCode, Timer, native,
};

/// The text with which a function panics.
fn panics(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it panics");
    payload
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| payload.downcast_ref::<&str>().unwrap().to_string())
}

#[test]
fn the_error_of_a_callback_goes_to_the_loops_function() -> Result<()> {
    let event_loop = Loop::new()?;
    let errors = Rc::new(RefCell::new(Vec::new()));
    let all = errors.clone();
    event_loop.set_on_error(move |error: CallbackError| {
        all.borrow_mut().push((error.handle().to_owned(), error.to_string()));
        assert!(std::error::Error::source(&error).is_some());
    });
    let timer = Timer::new(&event_loop)?;
    timer.set_label("parse");
    let mut inputs = ["7", "seven", "8", ""].into_iter();
    let sum = Rc::new(Cell::new(0));
    let total = sum.clone();
    timer.try_set_callback(move |timer| {
        let Some(input) = inputs.next() else {
            timer.close();
            return Err(StatusCode::EOF.into());
        };
        total.set(total.get() + input.parse::<u32>()?);
        Ok(())
    });
    timer.start(10, 10)?;
    event_loop.run(RunMode::Default)?;
    // An error changes nothing about the handle.
    assert_eq!(sum.get(), 15);
    let errors = errors.take();
    assert_eq!(errors.len(), 3);
    assert_eq!(errors[0].0, "Timer \"parse\"");
    assert_eq!(errors[0].1, "the callback of Timer \"parse\" failed: invalid digit found in string");
    assert!(errors[2].1.ends_with("EOF: end of file"), "{}", errors[2].1);
    event_loop.close()
}

#[test]
fn callbacks_with_arguments_can_fail_too() -> Result<()> {
    let event_loop = Loop::new()?;
    let errors = Rc::new(Cell::new(0));
    let count = errors.clone();
    event_loop.set_on_error(move |_| count.set(count.get() + 1));
    let signal = Signal::new(&event_loop)?;
    signal.try_set_callback(|signal, signum| {
        signal.close();
        Err(signum.to_string().into())
    });
    signal.start(Signum::SIGTERM)?;
    native::raise(Signum::SIGTERM);
    let peer = native::stream("peer");
    let descriptor = uv_handles::Descriptor::open("peer")?;
    let poll = Poll::new(&event_loop, &descriptor)?;
    poll.try_set_callback(|poll, ready| {
        poll.close();
        assert!(!ready?.is_empty());
        Err("closed".into())
    });
    poll.start(PollEvents::READABLE)?;
    drop(peer);
    event_loop.run(RunMode::Default)?;
    assert_eq!(errors.get(), 2);
    event_loop.close()
}

#[test]
fn without_a_function_for_errors_the_guest_ends() -> Result<()> {
    let event_loop = Loop::new()?;
    let idle = Idle::new(&event_loop)?;
    idle.set_label("worker");
    idle.try_set_callback(|_| Err(StatusCode::ENOENT.into()));
    idle.start()?;
    let text = panics(|| _ = event_loop.run(RunMode::NoWait));
    assert_eq!(text, "the callback of Idle \"worker\" failed: ENOENT: no such file or directory");
    Ok(())
}

#[test]
fn a_function_for_errors_that_panics_ends_the_guest_and_can_be_replaced_while_it_runs() -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    timer.try_set_callback(|_| Err("failed".into()));
    timer.start(1, 1)?;
    let calls = Rc::new(RefCell::new(String::new()));
    let (first, owner) = (calls.clone(), event_loop.clone());
    event_loop.set_on_error(move |_| {
        first.borrow_mut().push('a');
        let second = first.clone();
        owner.set_on_error(move |_| {
            second.borrow_mut().push('b');
            assert!(second.borrow().len() < 3, "enough");
        });
    });
    assert_eq!(panics(|| _ = event_loop.run(RunMode::Default)), "enough");
    assert_eq!(*calls.borrow(), "abb");
    Ok(())
}

#[test]
fn a_busy_loop_names_its_handles() -> Result<()> {
    let event_loop = Loop::new()?;
    let other = Loop::new()?;
    let _other = Timer::new(&other)?;
    let (timer, idle) = (Timer::new(&event_loop)?, Idle::new(&event_loop)?);
    timer.set_label("retry");
    idle.close();
    let error = event_loop.close().unwrap_err();
    assert_eq!(error.code(), Some(StatusCode::EBUSY));
    assert!(matches!(error, Error::LoopBusy(_)));
    let text = error.to_string();
    let (before, number) = text.split_once("Idle ").unwrap();
    assert_eq!(before, "EBUSY: resource busy or locked; not closed: Timer \"retry\", ");
    assert!(number.ends_with(" (closing)"), "{text}");
    // As `main` prints it.
    assert_eq!(format!("{error:?}"), text);
    assert_eq!(format!("{:?}", Error::from(StatusCode::EBUSY)), "EBUSY: resource busy or locked");
    timer.close();
    event_loop.run(RunMode::Default)?;
    // It shows what is there when it is shown.
    assert_eq!(error.to_string(), "EBUSY: resource busy or locked");
    event_loop.close()?;
    drop(event_loop);
    assert_eq!(error.to_string(), "EBUSY: resource busy or locked");
    // A loop that runs and has no other reason.
    let many: Vec<Timer> = (0..20).map(|_| Timer::new(&other)).collect::<Result<_>>()?;
    assert!(other.close().unwrap_err().to_string().ends_with(" and 13 more"));
    drop(many);
    Ok(())
}

#[test]
fn labels_are_bounded_and_go_with_their_handles() -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    assert_eq!(timer.label(), None);
    timer.set_label("é".repeat(1_000_000));
    assert_eq!(timer.label().as_deref(), Some(&*("é".repeat(30) + "…")));
    timer.set_label("a".to_owned() + &"é".repeat(100));
    assert_eq!(timer.label().unwrap().len(), 64);
    timer.set_label("a".repeat(64));
    assert_eq!(timer.label().as_deref(), Some(&*"a".repeat(64)));
    timer.set_label("line\nbreak");
    assert!(format!("{timer:?}").ends_with(", Open, \"linebreak\")"), "{timer:?}");
    timer.set_label("");
    assert_eq!(timer.label(), None);
    timer.set_label("old");
    let any: AnyHandle = timer.clone().into();
    assert_eq!(any.label().as_deref(), Some("old"));
    timer.close();
    event_loop.run(RunMode::Default)?;
    // It can be read until the last value is gone. A timer that reuses the place has none.
    assert_eq!(timer.label().as_deref(), Some("old"));
    drop((timer, any));
    assert_eq!(Timer::new(&event_loop)?.label(), None);
    Ok(())
}

#[test]
fn a_callback_spawns_on_its_loop() -> Result<()> {
    let (one, other) = (Loop::new()?, Loop::new()?);
    let done = Rc::new(Cell::new(0));
    for event_loop in [&one, &other] {
        let (done, own) = (done.clone(), event_loop.clone());
        Timer::new(event_loop)?.start_with(5, 0, move |timer| {
            let (inside, owner) = (done.clone(), own.clone());
            assert_eq!(current_loop(), own);
            let task = async move {
                assert_eq!(current_loop(), owner);
                sleep(10).await?;
                inside.set(inside.get() + 1);
                Ok::<_, Error>(())
            };
            spawn(task).unwrap().detach();
            // In the close callback too.
            let (inside, owner) = (done.clone(), own.clone());
            timer.close_with(move |_| {
                assert_eq!(current_loop(), owner);
                spawn(async move { inside.set(inside.get() + 10) }).unwrap().detach();
            });
        })?;
    }
    one.run(RunMode::Default)?;
    assert_eq!(done.get(), 11);
    other.run(RunMode::Default)?;
    assert_eq!(done.get(), 22);
    one.close()?;
    other.close()
}

#[test]
fn a_callback_of_a_loop_inside_a_task_of_another_spawns_on_its_own() -> Result<()> {
    let (outer, inner) = (Loop::new()?, Loop::new()?);
    let own = outer.clone();
    Executor::new(&outer).block_on(async move {
        let seen = Rc::new(Cell::new(false));
        let (expected, result) = (inner.clone(), seen.clone());
        Timer::new(&inner)?.start_with(1, 0, move |timer| {
            timer.close();
            result.set(current_loop() == expected);
        })?;
        inner.run(RunMode::Default)?;
        assert!(seen.get());
        assert_eq!(current_loop(), own);
        Ok(())
    })?
}

#[test]
fn an_export_spawns_on_the_only_loop() -> Result<()> {
    let event_loop = Loop::hosted()?;
    let ticks = Rc::new(Cell::new(0));
    let count = ticks.clone();
    spawn(async move {
        let mut ticker = interval(100)?;
        loop {
            ticker.tick().await;
            count.set(count.get() + 1);
        }
        #[allow(unreachable_code, reason = "the type of the errors")]
        Ok::<(), Error>(())
    })?
    .detach();
    drop(event_loop);
    native::advance(1_000);
    assert_eq!(ticks.get(), 10);
    Ok(())
}

#[test]
fn spawning_where_no_loop_is_known_says_what_to_call() -> Result<()> {
    let help = "use `Executor::new(&event_loop).spawn(future)`";
    assert!(panics(|| drop(spawn(async {}))).contains(help));
    let _loops = [Loop::new()?, Loop::new()?];
    assert!(panics(|| drop(spawn(async {}))).contains(help));
    Ok(())
}
