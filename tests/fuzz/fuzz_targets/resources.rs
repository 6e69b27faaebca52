//! Handles of any kind, as a guest holds them: calls of the interfaces by the kind of the handle.

use uv_handles_host::UvCtxView;
use uv_handles_host::bindings::uv::handles::async_handle::{AsyncHandle, HostAsyncHandle};
use uv_handles_host::bindings::uv::handles::check::{Check, HostCheck};
use uv_handles_host::bindings::uv::handles::handle::AnyHandle;
use uv_handles_host::bindings::uv::handles::idle::{HostIdle, Idle};
use uv_handles_host::bindings::uv::handles::poll::{HostPoll, Poll};
use uv_handles_host::bindings::uv::handles::prepare::{HostPrepare, Prepare};
use uv_handles_host::bindings::uv::handles::signal::{HostSignal, Signal};
use uv_handles_host::bindings::uv::handles::timer::{HostTimer, Timer};
use uv_handles_host::bindings::uv::handles::types::{Error, PollEvents, RunMode};
use wasmtime::component::Resource;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Timer,
    Idle,
    Prepare,
    Check,
    Async,
    Poll,
    Signal,
}

/// The arguments of `start`, for every kind.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub timeout: u64,
    pub repeat: u64,
    pub events: PollEvents,
    pub signum: i32,
}

pub fn borrow<T: 'static>(rep: u32) -> Resource<T> {
    Resource::new_borrow(rep)
}

pub fn pick<T: Copy>(held: &[T], at: u8) -> Option<(usize, T)> {
    let at = (at as usize).checked_rem(held.len())?;
    Some((at, held[at]))
}

pub fn run_mode(mode: u8) -> RunMode {
    [RunMode::Default, RunMode::Once, RunMode::Nowait][mode as usize % 3]
}

pub fn poll_events(bits: u8) -> PollEvents {
    let all = [PollEvents::READABLE, PollEvents::WRITABLE, PollEvents::DISCONNECT, PollEvents::PRIORITIZED];
    let asked = all.into_iter().enumerate().filter(|(bit, _)| bits & (1 << bit) != 0);
    asked.fold(PollEvents::empty(), |events, (_, event)| events | event)
}

pub fn any(kind: Kind, rep: u32) -> AnyHandle {
    match kind {
        Kind::Timer => AnyHandle::Timer(borrow(rep)),
        Kind::Idle => AnyHandle::Idle(borrow(rep)),
        Kind::Prepare => AnyHandle::Prepare(borrow(rep)),
        Kind::Check => AnyHandle::Check(borrow(rep)),
        Kind::Async => AnyHandle::AsyncHandle(borrow(rep)),
        Kind::Poll => AnyHandle::Poll(borrow(rep)),
        Kind::Signal => AnyHandle::Signal(borrow(rep)),
    }
}

/// Makes a handle of a kind that needs nothing but a loop.
pub fn create(host: &mut UvCtxView<'_>, kind: Kind, owner: u32, token: u64) -> Result<u32, Error> {
    match kind {
        Kind::Timer => HostTimer::create(host, borrow(owner), token).map(|made| made.rep()),
        Kind::Idle => HostIdle::create(host, borrow(owner), token).map(|made| made.rep()),
        Kind::Prepare => HostPrepare::create(host, borrow(owner), token).map(|made| made.rep()),
        Kind::Check => HostCheck::create(host, borrow(owner), token).map(|made| made.rep()),
        Kind::Async => HostAsyncHandle::create(host, borrow(owner), token).map(|made| made.rep()),
        Kind::Signal => HostSignal::create(host, borrow(owner), token).map(|made| made.rep()),
        Kind::Poll => unreachable!("a poll handle needs a descriptor"),
    }
}

/// Starts a handle, or sends it if it is an async handle.
pub fn start(host: &mut UvCtxView<'_>, kind: Kind, rep: u32, start: Start) -> Result<(), Error> {
    match kind {
        Kind::Timer => HostTimer::start(host, borrow(rep), start.timeout, start.repeat),
        Kind::Idle => HostIdle::start(host, borrow(rep)),
        Kind::Prepare => HostPrepare::start(host, borrow(rep)),
        Kind::Check => HostCheck::start(host, borrow(rep)),
        Kind::Async => HostAsyncHandle::send(host, borrow(rep)),
        Kind::Poll => HostPoll::start(host, borrow(rep), start.events),
        Kind::Signal => HostSignal::start(host, borrow(rep), start.signum),
    }
}

/// Stops a handle. An async handle is active until it is closed.
pub fn stop(host: &mut UvCtxView<'_>, kind: Kind, rep: u32) {
    match kind {
        Kind::Timer => HostTimer::stop(host, borrow(rep)),
        Kind::Idle => HostIdle::stop(host, borrow(rep)),
        Kind::Prepare => HostPrepare::stop(host, borrow(rep)),
        Kind::Check => HostCheck::stop(host, borrow(rep)),
        Kind::Poll => HostPoll::stop(host, borrow(rep)),
        Kind::Signal => HostSignal::stop(host, borrow(rep)),
        Kind::Async => {}
    }
}

pub fn drop_handle(host: &mut UvCtxView<'_>, kind: Kind, rep: u32) {
    let dropped = match kind {
        Kind::Timer => HostTimer::drop(host, Resource::<Timer>::new_own(rep)),
        Kind::Idle => HostIdle::drop(host, Resource::<Idle>::new_own(rep)),
        Kind::Prepare => HostPrepare::drop(host, Resource::<Prepare>::new_own(rep)),
        Kind::Check => HostCheck::drop(host, Resource::<Check>::new_own(rep)),
        Kind::Async => HostAsyncHandle::drop(host, Resource::<AsyncHandle>::new_own(rep)),
        Kind::Poll => HostPoll::drop(host, Resource::<Poll>::new_own(rep)),
        Kind::Signal => HostSignal::drop(host, Resource::<Signal>::new_own(rep)),
    };
    dropped.expect("a drop is not refused");
}
