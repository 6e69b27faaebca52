//! The guest's side: the resources that it holds, as wasmtime's tables would, and its calls of loops and handles.

use uv_handles_host::bindings::uv::handles::async_handle::{AsyncHandle, HostAsyncHandle};
use uv_handles_host::bindings::uv::handles::batch::Host as Batch;
use uv_handles_host::bindings::uv::handles::blocking::{Host as _, Pulled};
use uv_handles_host::bindings::uv::handles::check::{Check, HostCheck};
use uv_handles_host::bindings::uv::handles::event_loop::{HostLoop, Loop};
use uv_handles_host::bindings::uv::handles::handle::{self, AnyHandle, Host as _};
use uv_handles_host::bindings::uv::handles::idle::{HostIdle, Idle};
use uv_handles_host::bindings::uv::handles::poll::{HostPoll, Poll};
use uv_handles_host::bindings::uv::handles::prepare::{HostPrepare, Prepare};
use uv_handles_host::bindings::uv::handles::signal::{HostSignal, Signal};
use uv_handles_host::bindings::uv::handles::timer::{HostTimer, Timer};
use uv_handles_host::bindings::uv::handles::types::{
    Error, Event, Occurrence, PollEvents, RunMode, StatusCode,
};
use uv_handles_host::{Interrupted, Limits, UvCtx, UvCtxView};
use wasmtime::component::Resource;

/// Low enough to be reached.
pub fn set_limits(limits: &mut Limits) {
    (limits.handles, limits.loops, limits.descriptors, limits.read_bytes) =
        (HANDLES, LOOPS, DESCRIPTORS, 4_096);
}

const HANDLES: u32 = 24;
const LOOPS: u32 = 3;
const DESCRIPTORS: u32 = 5;

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

/// The token tells handles apart: each has its own, but those that were made ahead and are not opened have none.
#[derive(Clone, Copy)]
pub struct Handle {
    pub rep: u32,
    pub kind: Kind,
    pub event_loop: u32,
    pub token: u64,
    /// What it was made by, if it was made ahead.
    pub reserve: Option<u32>,
}

pub struct Guest {
    ctx: UvCtx,
    pub loops: Vec<u32>,
    pub handles: Vec<Handle>,
    pub descriptors: Vec<u32>,
    pub reserves: Vec<u32>,
    /// How many there have been.
    pub tokens: u64,
    pub interrupted: bool,
}

pub fn borrow<T: 'static>(rep: u32) -> Resource<T> {
    Resource::new_borrow(rep)
}

/// The answer may be an error.
pub fn refusable<T>(_: Result<T, Error>) {}

pub fn pick<T: Copy>(held: &[T], at: u8) -> Option<(usize, T)> {
    let at = (at as usize).checked_rem(held.len())?;
    Some((at, held[at]))
}

pub fn any(Handle { rep, kind, .. }: Handle) -> AnyHandle {
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

impl Guest {
    pub fn new(ctx: UvCtx) -> Guest {
        let (loops, handles, descriptors, reserves) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Guest { ctx, loops, handles, descriptors, reserves, tokens: 0, interrupted: false }
    }

    pub fn host(&mut self) -> UvCtxView<'_> {
        UvCtxView { ctx: &mut self.ctx }
    }

    /// What is true after every call.
    pub fn check(&mut self) {
        if self.interrupted {
            return;
        }
        assert!(self.loops.len() <= LOOPS as usize && self.handles.len() <= HANDLES as usize);
        assert!(self.descriptors.len() <= DESCRIPTORS as usize && self.reserves.len() <= LOOPS as usize);
        for id in self.loops.clone() {
            let tokens = HostLoop::handles(&mut self.host(), borrow(id));
            let (closed, alive) =
                (HostLoop::closed(&mut self.host(), borrow(id)), self.host().alive(borrow(id)));
            assert!(!closed || tokens.is_empty() && !alive);
            let of_loop: Vec<Handle> =
                self.handles.iter().filter(|handle| handle.event_loop == id).copied().collect();
            let mut listed = tokens.iter().copied();
            for handle in of_loop {
                let is_listed = tokens.contains(&handle.token);
                assert!(!is_listed || listed.next() == Some(handle.token), "they are listed as made");
                let (active, closing) = (self.host().active(any(handle)), self.host().closing(any(handle)));
                let gone = handle::Host::closed(&mut self.host(), any(handle));
                assert!(!(active && closing) && (closing || !gone) && !(gone && is_listed));
                assert!(closing || is_listed, "an open handle is listed");
                assert!(closed || alive || !active || !self.host().referenced(any(handle)));
                let fileno = handle::Host::fileno(&mut self.host(), any(handle));
                assert!(fileno.is_err() || handle.kind == Kind::Poll);
            }
            assert_eq!(listed.next(), None, "only what the guest has made and not dropped is listed");
            let now = self.host().now(borrow::<Loop>(id));
            let timeout = self.host().poll_timeout(borrow(id));
            assert_eq!((now.is_err(), timeout.is_err()), (closed, closed));
        }
    }

    pub fn create_loop(&mut self) {
        match HostLoop::create(&mut self.host()) {
            Ok(made) => self.loops.push(made.rep()),
            Err(error) => assert!(matches!(error, Error::Status(StatusCode::Emfile))),
        }
    }

    fn with_loop(&mut self, at: u8, call: impl FnOnce(&mut Guest, u32)) {
        if let Some((_, id)) = pick(&self.loops, at) {
            call(self, id);
        }
    }

    pub fn begin(&mut self, at: u8, mode: RunMode) {
        self.with_loop(at, |guest, id| refusable(guest.host().begin(borrow(id), mode)));
    }

    pub fn stop_loop(&mut self, at: u8) {
        self.with_loop(at, |guest, id| HostLoop::stop(&mut guest.host(), borrow(id)));
    }

    pub fn close_loop(&mut self, at: u8) {
        self.with_loop(at, |guest, id| refusable(HostLoop::close(&mut guest.host(), borrow(id))));
    }

    pub fn update_time(&mut self, at: u8) {
        self.with_loop(at, |guest, id| refusable(guest.host().update_time(borrow(id))));
    }

    pub fn drop_loop(&mut self, at: u8) {
        if let Some((at, id)) = pick(&self.loops, at) {
            self.loops.swap_remove(at);
            HostLoop::drop(&mut self.host(), Resource::new_own(id)).unwrap();
            // Its number may be given away once its handles are gone; they are closed for good.
            self.handles.iter_mut().filter(|it| it.event_loop == id).for_each(|it| it.event_loop = u32::MAX);
        }
    }

    /// Begins a run and takes some events of it.
    pub fn run(&mut self, at: u8, mode: RunMode, events: u8) {
        self.begin(at, mode);
        for _ in 0..events % 8 {
            if !self.interrupted {
                self.pull(at, 1);
            }
        }
    }

    /// Goes on with a run. The virtual time jumps to a timer of the guard's own if there is nothing else to
    /// wait for, because otherwise the wait would be for ever, as it should.
    pub fn pull(&mut self, at: u8, max: u32) {
        let Some((_, id)) = pick(&self.loops, at) else {
            return;
        };
        let guard = HostTimer::create(&mut self.host(), borrow(id), u64::MAX);
        match &guard {
            Ok(timer) => HostTimer::start(&mut self.host(), borrow(timer.rep()), 1 << 40, 0).unwrap(),
            Err(_) => HostLoop::stop(&mut self.host(), borrow(id)),
        }
        if let Ok(timer) = &guard {
            self.host().dereference(AnyHandle::Timer(borrow(timer.rep()))).unwrap();
        }
        match self.host().pull(borrow(id), max) {
            Ok(Ok(Pulled::Event(event))) => self.delivered(id, event),
            Ok(Ok(Pulled::Finished(_)) | Err(_)) => {}
            Ok(Ok(batch)) => {
                let of = |what: Occurrence| move |token| Event { token, what: what.clone() };
                let events: Vec<Event> = match batch {
                    Pulled::Callbacks(tokens) => tokens.into_iter().map(of(Occurrence::Callback)).collect(),
                    Pulled::Polls(ready) => {
                        let event = |(token, events)| Event { token, what: Occurrence::Poll(Ok(events)) };
                        ready.into_iter().map(event).collect()
                    }
                    Pulled::Closes(tokens) => tokens.into_iter().map(of(Occurrence::Closed)).collect(),
                    Pulled::Event(_) | Pulled::Finished(_) => unreachable!("seen above"),
                };
                assert!((2..=max as usize).contains(&events.len()));
                // More or less than what has been handed over, and closing some or none, in any order.
                let position = max % (events.len() as u32 + 2);
                events.into_iter().for_each(|event| self.delivered(id, event));
                // What closes the callback's own handle, and what means nothing: it is of no reserve, or can not be read.
                let close = |position: u32| 5 << 48 | u64::from(position as u16) << 32;
                let changes = match max % 4 {
                    0 | 2 => vec![],
                    1 => vec![close(0), close(position)],
                    _ => vec![close(position + 1), u64::from(max / 4 % 8) << 48, close(0), close(position)],
                };
                Batch::advance(&mut self.host(), position, None, changes);
            }
            Err(error) => {
                assert!(error.is::<Interrupted>(), "{error:?}");
                self.interrupted = true;
                return;
            }
        }
        if let Ok(timer) = guard {
            HostTimer::drop(&mut self.host(), timer).unwrap();
        }
    }

    /// An event comes to a handle that the guest has, on this loop, and that can have it.
    fn delivered(&mut self, id: u32, Event { token, what }: Event) {
        if token == u64::MAX {
            return;
        }
        let handle = *self.handles.iter().find(|handle| handle.token == token).expect("it is not dropped");
        assert_eq!(handle.event_loop, id);
        let closing = self.host().closing(any(handle));
        match (what, handle.kind) {
            (Occurrence::Closed, _) => assert!(closing),
            (Occurrence::Poll(_), Kind::Poll) | (Occurrence::Signal(_), Kind::Signal) => assert!(!closing),
            (Occurrence::Callback, kind) => assert!(!closing && !matches!(kind, Kind::Poll | Kind::Signal)),
            (what, kind) => panic!("{what:?} of a {kind:?}"),
        }
    }

    fn made<T: 'static>(&mut self, event_loop: u32, kind: Kind, made: Result<Resource<T>, Error>) {
        if let Ok(made) = made {
            let handle = Handle { rep: made.rep(), kind, event_loop, token: self.tokens, reserve: None };
            assert!(self.handles.iter().all(|held| held.rep != handle.rep), "its number is in use");
            self.handles.push(handle);
        }
        self.tokens += 1;
    }

    pub fn make(&mut self, at: u8, kind: Kind) {
        let Some((_, id)) = pick(&self.loops, at) else {
            return;
        };
        let token = self.tokens;
        macro_rules! make {
            ($host:ident) => {{
                let made = $host::create(&mut self.host(), borrow(id), token);
                self.made(id, kind, made);
            }};
        }
        match kind {
            Kind::Timer => make!(HostTimer),
            Kind::Idle => make!(HostIdle),
            Kind::Prepare => make!(HostPrepare),
            Kind::Check => make!(HostCheck),
            Kind::Async => make!(HostAsyncHandle),
            Kind::Signal => make!(HostSignal),
            Kind::Poll => unreachable!("a poll handle needs a descriptor"),
        }
    }

    pub fn make_named(&mut self, at: u8, name: String) {
        self.with_loop(at, |guest, id| {
            let token = guest.tokens;
            let made = guest.host().create_named(borrow(id), token, name);
            guest.made(id, Kind::Async, made);
        });
    }

    pub fn make_poll(&mut self, at: u8, descriptor: u8) {
        let Some((_, descriptor)) = pick(&self.descriptors, descriptor) else {
            return;
        };
        self.with_loop(at, |guest, id| {
            let token = guest.tokens;
            let made = HostPoll::create(&mut guest.host(), borrow(id), token, borrow(descriptor));
            guest.made(id, Kind::Poll, made);
        });
    }

    fn with_handle(&mut self, at: u8, call: impl FnOnce(&mut Guest, Handle)) {
        if let Some((_, handle)) = pick(&self.handles, at) {
            call(self, handle);
        }
    }

    pub fn close(&mut self, at: u8) {
        self.with_handle(at, |guest, handle| {
            handle::Host::close(&mut guest.host(), any(handle));
            assert!(guest.host().closing(any(handle)) && !guest.host().active(any(handle)));
        });
    }

    pub fn set_referenced(&mut self, at: u8, referenced: bool) {
        self.with_handle(at, |guest, handle| {
            let set = match referenced {
                true => guest.host().reference(any(handle)),
                false => guest.host().dereference(any(handle)),
            };
            assert!(set.is_err() || guest.host().referenced(any(handle)) == referenced);
        });
    }

    pub fn buffers(&mut self, at: u8, size: u32) {
        self.with_handle(at, |guest, handle| {
            let mut host = guest.host();
            handle::Host::send_buffer_size(&mut host, any(handle)).unwrap_err();
            handle::Host::receive_buffer_size(&mut host, any(handle)).unwrap_err();
            handle::Host::set_send_buffer_size(&mut host, any(handle), size).unwrap_err();
            handle::Host::set_receive_buffer_size(&mut host, any(handle), size).unwrap_err();
        });
    }

    pub fn start(&mut self, at: u8, first: u64, second: u8, events: PollEvents) {
        self.with_handle(at, |guest, handle @ Handle { rep, kind, .. }| {
            let mut host = guest.host();
            let started = match kind {
                Kind::Timer => HostTimer::start(&mut host, borrow(rep), first, second.into()),
                Kind::Idle => HostIdle::start(&mut host, borrow(rep)),
                Kind::Prepare => HostPrepare::start(&mut host, borrow(rep)),
                Kind::Check => HostCheck::start(&mut host, borrow(rep)),
                Kind::Async => host.send(borrow(rep)),
                Kind::Poll => HostPoll::start(&mut host, borrow(rep), events),
                Kind::Signal => HostSignal::start(&mut host, borrow(rep), i32::from(second)),
            };
            let stopped = kind == Kind::Poll && events == PollEvents::empty();
            assert!(started.is_err() || guest.host().active(any(handle)) != stopped);
        });
    }

    pub fn start_oneshot(&mut self, at: u8, signum: i32) {
        self.with_handle(at, |guest, Handle { rep, kind, .. }| {
            if kind == Kind::Signal && guest.host().start_oneshot(borrow(rep), signum).is_ok() {
                assert_eq!(guest.host().signum(borrow(rep)).ok(), Some(signum));
            }
        });
    }

    pub fn again(&mut self, at: u8) {
        self.with_handle(at, |guest, Handle { rep, kind, .. }| {
            if kind == Kind::Timer {
                refusable(guest.host().again(borrow(rep)));
                refusable(guest.host().due_in(borrow(rep)));
            }
        });
    }

    pub fn set_repeat(&mut self, at: u8, repeat: u64) {
        self.with_handle(at, |guest, Handle { rep, kind, .. }| {
            if kind == Kind::Timer && guest.host().set_repeat(borrow(rep), repeat).is_ok() {
                assert_eq!(guest.host().repeat(borrow(rep)).ok(), Some(repeat));
            }
        });
    }

    pub fn stop(&mut self, at: u8) {
        self.with_handle(at, |guest, handle @ Handle { rep, kind, .. }| {
            let mut host = guest.host();
            match kind {
                Kind::Timer => HostTimer::stop(&mut host, borrow(rep)),
                Kind::Idle => HostIdle::stop(&mut host, borrow(rep)),
                Kind::Prepare => HostPrepare::stop(&mut host, borrow(rep)),
                Kind::Check => HostCheck::stop(&mut host, borrow(rep)),
                Kind::Poll => HostPoll::stop(&mut host, borrow(rep)),
                Kind::Signal => HostSignal::stop(&mut host, borrow(rep)),
                Kind::Async => return,
            }
            assert!(!host.active(any(handle)));
        });
    }

    pub fn drop_handle(&mut self, at: u8) {
        let Some((at, Handle { rep, kind, .. })) = pick(&self.handles, at) else {
            return;
        };
        self.handles.remove(at);
        let mut host = self.host();
        let dropped = match kind {
            Kind::Timer => HostTimer::drop(&mut host, Resource::<Timer>::new_own(rep)),
            Kind::Idle => HostIdle::drop(&mut host, Resource::<Idle>::new_own(rep)),
            Kind::Prepare => HostPrepare::drop(&mut host, Resource::<Prepare>::new_own(rep)),
            Kind::Check => HostCheck::drop(&mut host, Resource::<Check>::new_own(rep)),
            Kind::Async => HostAsyncHandle::drop(&mut host, Resource::<AsyncHandle>::new_own(rep)),
            Kind::Poll => HostPoll::drop(&mut host, Resource::<Poll>::new_own(rep)),
            Kind::Signal => HostSignal::drop(&mut host, Resource::<Signal>::new_own(rep)),
        };
        dropped.unwrap();
    }
}
