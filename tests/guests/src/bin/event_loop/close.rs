//! When a loop can be closed, and what it answers then.

use uv_handles::{
    Async, Check, Error, Handle, Idle, Loop, Prepare, Result, RunMode, Signal, StatusCode, Timer,
};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let idle = Idle::new(&event_loop)?;
    assert_refused(event_loop.close(), StatusCode::EBUSY);
    idle.start_with(|idle| {
        assert_refused(idle.event_loop().close(), StatusCode::EBUSY);
        idle.close_with(|idle| assert_refused(idle.event_loop().close(), StatusCode::EBUSY));
    })?;
    assert!(!event_loop.is_closed());
    idle.event_loop().run(RunMode::Default)?;
    assert!(idle.is_closed());

    let late = Timer::new(&event_loop)?;
    late.close();
    assert_refused(event_loop.close(), StatusCode::EBUSY);
    event_loop.run(RunMode::NoWait)?;
    event_loop.close()?;
    event_loop.close()?;
    assert!(event_loop.is_closed());

    // A run that is not alive, so it would have nothing to do, is refused as well.
    let closed = Err(Error::LoopClosed);
    assert_eq!(event_loop.run(RunMode::Default), closed);
    assert_eq!(event_loop.now(), Err(Error::LoopClosed));
    assert_eq!(event_loop.update_time(), Err(Error::LoopClosed));
    assert_eq!(event_loop.poll_timeout(), Err(Error::LoopClosed));
    assert!(!event_loop.is_alive() && event_loop.handles().is_empty());
    assert_eq!(Timer::new(&event_loop).err(), Some(Error::LoopClosed));
    assert_eq!(Idle::new(&event_loop).err(), Some(Error::LoopClosed));
    assert_eq!(Prepare::new(&event_loop).err(), Some(Error::LoopClosed));
    assert_eq!(Check::new(&event_loop).err(), Some(Error::LoopClosed));
    assert_eq!(Async::new(&event_loop).err(), Some(Error::LoopClosed));
    assert_eq!(Signal::new(&event_loop).err(), Some(Error::LoopClosed));
    // A handle that was closed before stays closed.
    assert!(idle.is_closed() && idle.is_closing() && !idle.is_active() && !idle.is_referenced());
    Ok(())
}
