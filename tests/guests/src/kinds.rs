//! One handle of every kind, for what all kinds have in common.

use uv_handles::{
    AnyHandle, Async, Check, Descriptor, Idle, Loop, Poll, PollEvents, Prepare, Result, Signal, Signum, Timer,
};

/// A new handle of every kind, in order of making. The poll handle is for this descriptor.
pub fn one_of_each(event_loop: &Loop, descriptor: &Descriptor) -> Result<[AnyHandle; 7]> {
    Ok([
        Timer::new(event_loop)?.into(),
        Idle::new(event_loop)?.into(),
        Prepare::new(event_loop)?.into(),
        Check::new(event_loop)?.into(),
        Async::new(event_loop)?.into(),
        Poll::new(event_loop, descriptor)?.into(),
        Signal::new(event_loop)?.into(),
    ])
}

/// Starts a handle so that it is due in the next iteration; an async handle is sent. Only the
/// signal, SIGWINCH, comes when it comes.
pub fn start(handle: &AnyHandle) -> Result<()> {
    match handle {
        AnyHandle::Timer(timer) => timer.start(0, 0),
        AnyHandle::Idle(idle) => idle.start(),
        AnyHandle::Prepare(prepare) => prepare.start(),
        AnyHandle::Check(check) => check.start(),
        AnyHandle::Async(wake_up) => wake_up.send(),
        AnyHandle::Poll(poll) => poll.start(PollEvents::WRITABLE),
        AnyHandle::Signal(signal) => signal.start(Signum::SIGWINCH),
    }
}

/// Stops a handle; an async handle cannot be stopped.
pub fn stop(handle: &AnyHandle) {
    match handle {
        AnyHandle::Timer(timer) => timer.stop(),
        AnyHandle::Idle(idle) => idle.stop(),
        AnyHandle::Prepare(prepare) => prepare.stop(),
        AnyHandle::Check(check) => check.stop(),
        AnyHandle::Async(_) => {}
        AnyHandle::Poll(poll) => poll.stop(),
        AnyHandle::Signal(signal) => signal.stop(),
    }
}

/// Sets what to call, without the arguments that only some kinds have.
pub fn set_callback(handle: &AnyHandle, mut callback: impl FnMut() + 'static) {
    match handle {
        AnyHandle::Timer(timer) => timer.set_callback(move |_| callback()),
        AnyHandle::Idle(idle) => idle.set_callback(move |_| callback()),
        AnyHandle::Prepare(prepare) => prepare.set_callback(move |_| callback()),
        AnyHandle::Check(check) => check.set_callback(move |_| callback()),
        AnyHandle::Async(wake_up) => wake_up.set_callback(move |_| callback()),
        AnyHandle::Poll(poll) => poll.set_callback(move |_, _| callback()),
        AnyHandle::Signal(signal) => signal.set_callback(move |_, _| callback()),
    }
}
