//! A guest's logic under test on the machine itself: the SDK's feature `native`.

use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, Read, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};
use uv_handles::task::{AsyncDescriptor, Executor, Messages, interval, signal, sleep, spawn, timeout};
use uv_handles::{
    Async, AsyncSender, Check, Descriptor, Error, Handle, Idle, Loop, Poll, PollEvents, Prepare, Result,
    RunMode, Shutdown, Signal, Signum, StatusCode, Timer, native,
};

/// A log that callbacks write to.
#[derive(Clone, Default)]
struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn note(&self, what: impl ToString) {
        self.0.borrow_mut().push(format!("{} {}", native::now(), what.to_string()));
    }

    fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

#[test]
fn a_day_of_ticks_takes_no_time() -> Result<()> {
    let (begin, event_loop) = (Instant::now(), Loop::new()?);
    let ticks = Rc::new(Cell::new(0));
    let count = ticks.clone();
    Timer::new(&event_loop)?.start_with(Duration::from_secs(1), Duration::from_secs(1), move |timer| {
        count.set(count.get() + 1);
        if count.get() == 86_400 {
            timer.close();
        }
    })?;
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    event_loop.close()?;
    assert_eq!((ticks.get(), native::now()), (86_400, 86_400_000));
    assert!(begin.elapsed() < Duration::from_secs(60));
    Ok(())
}

#[test]
fn phases_have_the_order_of_libuv() -> Result<()> {
    let (event_loop, log) = (Loop::new()?, Log::default());
    let (timer, idle, prepare, check, wake_up) = (
        Timer::new(&event_loop)?,
        Idle::new(&event_loop)?,
        Prepare::new(&event_loop)?,
        Check::new(&event_loop)?,
        Async::new(&event_loop)?,
    );
    let notes = log.clone();
    timer.start_with(0, 0, move |_| notes.note("timer"))?;
    let notes = log.clone();
    idle.start_with(move |idle| {
        notes.note("idle");
        idle.stop();
    })?;
    let notes = log.clone();
    prepare.start_with(move |_| notes.note("prepare"))?;
    let notes = log.clone();
    check.start_with(move |_| notes.note("check"))?;
    let notes = log.clone();
    wake_up.send_with(move |_| notes.note("async"))?;
    let notes = log.clone();
    timer.set_on_closed(move |_| notes.note("closed"));
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(log.take(), ["0 idle", "0 prepare", "0 async", "0 check", "0 timer"]);
    timer.close();
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(log.take(), ["0 prepare", "0 check", "0 closed"]);
    Ok(())
}

#[test]
fn a_repeating_timer_keeps_its_interval_however_long_its_callback_takes() -> Result<()> {
    let (event_loop, log) = (Loop::new()?, Log::default());
    let notes = log.clone();
    Timer::new(&event_loop)?.start_with(50, 50, move |timer| {
        notes.note("tick");
        native::work(17);
        if native::now() > 150 {
            timer.close();
        }
    })?;
    event_loop.run(RunMode::Default)?;
    assert_eq!(log.take(), ["50 tick", "100 tick", "150 tick"]);
    Ok(())
}

#[test]
fn an_event_from_outside_comes_at_its_time() -> Result<()> {
    let (event_loop, log) = (Loop::new()?, Log::default());
    let notes = log.clone();
    Timer::new(&event_loop)?.start_with(100, 100, move |timer| {
        notes.note("timer");
        if native::now() == 300 {
            timer.close();
        }
    })?;
    let notes = log.clone();
    Signal::new(&event_loop)?.start_with(Signum::SIGHUP, move |signal, signum| {
        notes.note(signum);
        signal.close();
    })?;
    let notes = log.clone();
    Async::named(&event_loop, "reload")?.set_callback(move |reload| {
        notes.note("reload");
        reload.close();
    });
    // Also at the time of a timer, and in any order of scheduling.
    native::after(200, || native::send("reload").unwrap());
    native::after(Duration::from_millis(150), || native::raise(Signum::SIGHUP));
    event_loop.run(RunMode::Default)?;
    assert_eq!(log.take(), ["100 timer", "150 SIGHUP", "200 reload", "200 timer", "300 timer"]);
    event_loop.close()
}

#[test]
fn a_scheduled_function_may_use_handles() -> Result<()> {
    let (event_loop, log) = (Loop::new()?, Log::default());
    let timer = Timer::new(&event_loop)?;
    let notes = log.clone();
    timer.start_with(1_000, 0, move |timer| {
        notes.note("timer");
        timer.close();
    })?;
    let other = timer.clone();
    native::after(10, move || other.start(5, 0).unwrap());
    event_loop.run(RunMode::Default)?;
    // It counts from the loop's time, which has stood still in the wait.
    assert_eq!(log.take(), ["10 timer"]);
    event_loop.close()
}

#[test]
fn a_wait_that_nothing_ends_is_refused() -> Result<()> {
    let event_loop = Loop::new()?;
    let never = Async::new(&event_loop)?;
    assert_eq!(event_loop.run(RunMode::Default), Err(StatusCode::ECANCELED.into()));
    let sent = never.clone();
    never.set_callback(Handle::close);
    native::on_endless_wait(move || sent.send().unwrap());
    assert_eq!(event_loop.run(RunMode::Default), Ok(false));
    // A function that brings nothing does not make it endless.
    let _never = Async::new(&event_loop)?;
    native::on_endless_wait(|| {});
    assert_eq!(event_loop.run(RunMode::Default), Err(StatusCode::ECANCELED.into()));
    Ok(())
}

#[test]
fn an_active_idle_handle_lets_time_pass() -> Result<()> {
    let event_loop = Loop::new()?;
    let idle = Idle::new(&event_loop)?;
    let slices = Rc::new(Cell::new(0_u32));
    let count = slices.clone();
    idle.start_with(move |_| count.set(count.get() + 1))?;
    Timer::new(&event_loop)?.start_with(100, 0, move |timer| {
        idle.close();
        timer.close();
    })?;
    event_loop.run(RunMode::Default)?;
    assert!(slices.get() > 1_000, "{}", slices.get());
    event_loop.close()
}

#[test]
fn messages_arrive_in_order_and_are_bounded() -> Result<()> {
    let event_loop = Loop::new()?;
    assert_eq!(native::send("jobs"), Err(StatusCode::ENOTCONN.into()));
    let jobs = Async::named(&event_loop, "jobs")?;
    assert_eq!(Async::named(&event_loop, "jobs"), Err(StatusCode::EBUSY.into()));
    native::send_message("jobs", b"one")?;
    native::send_message("jobs", b"two")?;
    assert_eq!(native::send_message("jobs", &[0; 2 << 20]), Err(StatusCode::EMSGSIZE.into()));
    assert_eq!(native::send_message("jobs", &[0; 1 << 20]), Err(StatusCode::EAGAIN.into()));
    assert_eq!(jobs.receive(), Ok(Some(b"one".to_vec())));
    assert_eq!(jobs.receive(), Ok(Some(b"two".to_vec())));
    assert_eq!(jobs.receive(), Ok(None));
    assert_eq!(Async::new(&event_loop)?.receive(), Err(StatusCode::ENOTSUP.into()));
    jobs.close();
    assert_eq!(jobs.receive(), Err(Error::HandleClosed));
    assert_eq!(native::send("jobs"), Err(StatusCode::EPIPE.into()));
    // The name can be used again.
    Async::named(&event_loop, "jobs")?;
    native::send("jobs")
}

#[test]
fn what_the_guest_sends_arrives() -> Result<()> {
    assert_eq!(AsyncSender::open("peer").err().and_then(|error| error.code()), Some(StatusCode::ENOENT));
    let inbox = native::connect("peer");
    let sender = AsyncSender::open("peer")?;
    assert_eq!(AsyncSender::open("peer").err(), Some(StatusCode::EBUSY.into()));
    sender.send()?;
    sender.send_message(b"hello")?;
    assert_eq!((inbox.sends(), inbox.receive(), inbox.receive()), (2, Some(b"hello".to_vec()), None));
    drop(sender);
    AsyncSender::open("peer").map(drop)
}

#[test]
fn streams_in_memory_behave_as_sockets() -> Result<()> {
    let (event_loop, log) = (Loop::new()?, Log::default());
    assert_eq!(Descriptor::open("peer").err().and_then(|error| error.code()), Some(StatusCode::ENOENT));
    let mut peer = native::stream("peer");
    let guest = Descriptor::open("peer")?;
    assert_eq!(Descriptor::open("peer").err(), Some(StatusCode::EBUSY.into()));
    assert_eq!(guest.read_vec(10), Err(StatusCode::EAGAIN.into()));
    assert_eq!(guest.local_address(), Err(StatusCode::ENOTSOCK.into()));
    assert_eq!(guest.accept().err(), Some(StatusCode::EINVAL.into()));
    let poll = Poll::new(&event_loop, &guest)?;
    assert_eq!(poll.fileno(), Ok(guest.fileno()));
    let (notes, input) = (log.clone(), guest.clone());
    poll.start_with(PollEvents::READABLE | PollEvents::DISCONNECT, move |poll, ready| {
        notes.note(format!("{:?}", ready.unwrap()));
        if input.read_vec(3).unwrap().is_empty() {
            poll.stop();
        }
    })?;
    // Level-triggered.
    assert_eq!(peer.write(b"12345").unwrap(), 5);
    event_loop.run(RunMode::NoWait)?;
    event_loop.run(RunMode::NoWait)?;
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(log.take().len(), 2);
    peer.end();
    event_loop.run(RunMode::Default)?;
    assert_eq!(log.take().len(), 1);
    // The other direction goes on, until it is full.
    let mut written = 0;
    while let Ok(count) = guest.write(&[0; 10_000]) {
        written += count;
    }
    assert_eq!((written, guest.write(&[0])), (65_536, Err(StatusCode::EAGAIN.into())));
    let mut rest = vec![0; 100_000];
    assert_eq!(peer.read(&mut rest).unwrap(), written);
    assert_eq!(peer.read(&mut rest).unwrap_err().kind(), ErrorKind::WouldBlock);
    guest.shutdown(Shutdown::Write)?;
    assert_eq!(peer.read(&mut rest).unwrap(), 0);
    Ok(())
}

#[test]
fn a_reset_stops_the_poll_handle() -> Result<()> {
    let event_loop = Loop::new()?;
    let peer = native::stream("peer");
    let guest = Descriptor::open("peer")?;
    let poll = Poll::new(&event_loop, &guest)?;
    let seen = Rc::new(Cell::new(None));
    let result = seen.clone();
    poll.start_with(PollEvents::READABLE, move |_, ready| result.set(Some(ready)))?;
    native::after(10, move || peer.reset());
    event_loop.run(RunMode::Default)?;
    assert_eq!(seen.get(), Some(Err(StatusCode::EBADF)));
    assert!(!poll.is_active());
    assert_eq!(guest.read_vec(1), Err(StatusCode::ECONNRESET.into()));
    assert_eq!(guest.write(b"x"), Err(StatusCode::EPIPE.into()));
    // So does dropping the descriptor.
    let _peer = native::stream("other");
    let other = Descriptor::open("other")?;
    let poll = Poll::new(&event_loop, &other)?;
    let result = seen.clone();
    seen.set(None);
    poll.start_with(PollEvents::READABLE, move |_, ready| result.set(Some(ready)))?;
    drop(other);
    event_loop.run(RunMode::NoWait)?;
    assert_eq!(seen.get(), Some(Err(StatusCode::EBADF)));
    Ok(())
}

#[test]
fn a_plugin_goes_on_between_its_calls() -> Result<()> {
    let log = Log::default();
    let notes = log.clone();
    let event_loop = Loop::hosted()?;
    assert_eq!(event_loop.run(RunMode::Default), Err(StatusCode::ENOTSUP.into()));
    let timer = Timer::new(&event_loop)?;
    timer.start_with(100, 100, move |_| notes.note("tick"))?;
    let notes = log.clone();
    Async::named(&event_loop, "stop")?.set_callback(move |stop| {
        notes.note("stop");
        stop.event_loop().handles().iter().for_each(Handle::close);
    });
    native::advance(0);
    assert_eq!(log.take(), [""; 0]);
    native::advance(250);
    assert_eq!((log.take(), event_loop.now()), (vec!["100 tick".into(), "200 tick".into()], Ok(250)));
    native::after(120, || native::send("stop").unwrap());
    native::advance(Duration::from_secs(60));
    assert_eq!(log.take(), ["300 tick", "370 stop"]);
    assert!(timer.is_closed());
    event_loop.close()
}

#[test]
fn tasks_run_in_virtual_time() -> Result<()> {
    let event_loop = Loop::new()?;
    let mut peer = native::stream("server");
    native::after(1_000, || native::raise(Signum::SIGTERM));
    native::after(1_100, move || {
        peer.write_all(b"hello").unwrap();
        // Kept until the guest has read.
        std::mem::forget(peer);
    });
    let server = AsyncDescriptor::open(&event_loop, "server")?;
    let mut messages = Messages::named(&event_loop, "jobs")?;
    native::after(1_200, || native::send_message("jobs", b"work").unwrap());
    Executor::new(&event_loop).block_on(async move {
        let other = spawn(async {
            let mut ticks = interval(200)?;
            for _ in 0..3 {
                ticks.tick().await;
            }
            Ok::<_, Error>(native::now())
        })?;
        assert_eq!(timeout(50, sleep(100)).await, Err(StatusCode::ETIMEDOUT.into()));
        assert_eq!(native::now(), 50);
        // It counts from the clock.
        native::work(300);
        assert_eq!(timeout(200, sleep(100)).await, Ok(Ok(())));
        assert_eq!(native::now(), 450);
        // The interval does not catch up.
        assert_eq!(other.await??, 750);
        assert_eq!(signal(Signum::SIGTERM)?.recv().await, Signum::SIGTERM);
        assert_eq!(server.read_vec(100).await?, b"hello");
        assert_eq!(messages.recv().await.as_deref(), Some(&b"work"[..]));
        assert_eq!(native::now(), 1_200);
        Ok(())
    })?
}

#[test]
fn a_listener_accepts() -> Result<()> {
    let event_loop = Loop::new()?;
    let listener = native::listener("http");
    native::after(5, move || {
        let mut client = listener.connect();
        client.write_all(b"ping").unwrap();
        native::after(5, move || {
            let mut answer = [0; 10];
            assert_eq!(client.read(&mut answer).unwrap(), 4);
            assert_eq!(&answer[..4], b"pong");
        });
    });
    let server = AsyncDescriptor::open(&event_loop, "http")?;
    Executor::new(&event_loop).block_on(async move {
        let connection = server.accept().await?;
        assert_eq!(connection.read_vec(10).await?, b"ping");
        connection.write_all(b"pong").await?;
        // Ends when the client has gone.
        assert_eq!(connection.read_vec(10).await?, b"");
        assert_eq!(native::now(), 10);
        Ok(())
    })?
}

/// Closes its handle when it is dropped, as types do that own one.
struct Owner(Idle);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[test]
fn handles_may_outlive_their_test() {
    thread_local! {
        static KEPT: RefCell<Vec<Owner>> = const { RefCell::new(Vec::new()) };
    }
    std::thread::spawn(|| {
        // Some are dropped while the thread ends, others never.
        KEPT.with_borrow_mut(Vec::clear);
        let event_loop = Loop::new().unwrap();
        let owner = || Owner(Idle::new(&event_loop).unwrap());
        KEPT.with_borrow_mut(|kept| kept.push(owner()));
        let captured = owner();
        let open = Async::named(&event_loop, "open").unwrap();
        open.set_callback(move |_| captured.0.stop());
        event_loop.run(RunMode::NoWait).unwrap();
    })
    .join()
    .unwrap();
}
