//! The guest's side: the resources that it holds, as in wasmtime's tables, and its calls of loops and
//! handles.

use crate::resources::{self, Kind, Start, borrow, pick};
use uv_handles_host::bindings::uv::handles::async_handle::HostAsyncHandle;
use uv_handles_host::bindings::uv::handles::event_loop::{HostLoop, Loop};
use uv_handles_host::bindings::uv::handles::handle::{self, AnyHandle, Host as _};
use uv_handles_host::bindings::uv::handles::plugin_loop;
use uv_handles_host::bindings::uv::handles::poll::HostPoll;
use uv_handles_host::bindings::uv::handles::signal::HostSignal;
use uv_handles_host::bindings::uv::handles::timer::HostTimer;
use uv_handles_host::bindings::uv::handles::types::{Error, ErrorCode, Event, EventKind, PollEvents};
use uv_handles_host::{Limits, UvCtx, UvCtxView};
use wasmtime::component::Resource;

/// Low enough to be reached.
pub fn set_limits(limits: &mut Limits) {
    (limits.handles, limits.loops, limits.descriptors, limits.read_bytes) =
        (HANDLES, LOOPS, DESCRIPTORS, 4_096);
}

const HANDLES: u32 = 24;
pub const LOOPS: u32 = 3;
const DESCRIPTORS: u32 = 5;

/// The loop of a handle or a run whose loop is dropped.
pub const NO_LOOP: u32 = u32::MAX;

/// A handle. Each has a token of its own, except pooled timers that have never been opened.
#[derive(Clone, Copy)]
pub struct Handle {
    pub rep: u32,
    pub kind: Kind,
    pub event_loop: u32,
    pub token: u64,
    /// The pool that it was allocated from.
    pub pool: Option<u32>,
}

/// A run that is not dropped.
#[derive(Clone, Copy)]
pub struct Run {
    pub rep: u32,
    pub event_loop: u32,
    pub finished: bool,
}

pub struct Guest {
    ctx: UvCtx,
    pub is_plugin: bool,
    pub loops: Vec<u32>,
    pub handles: Vec<Handle>,
    pub descriptors: Vec<u32>,
    pub pools: Vec<u32>,
    pub runs: Vec<Run>,
    /// All keys of runs that the guest has seen, also of runs that have ended.
    pub keys: Vec<u64>,
    /// How many tokens the guest has given.
    pub tokens: u64,
    pub interrupted: bool,
}

/// A call that may be refused.
pub fn refusable<T>(_: Result<T, Error>) {}

pub fn is_code<T>(answer: &Result<T, Error>, code: ErrorCode) -> bool {
    matches!(answer, Err(Error::Code(it)) if *it == code)
}

pub fn any(Handle { rep, kind, .. }: Handle) -> AnyHandle {
    resources::any(kind, rep)
}

impl Guest {
    pub fn new(ctx: UvCtx, is_plugin: bool) -> Guest {
        Guest {
            ctx,
            is_plugin,
            loops: Vec::new(),
            handles: Vec::new(),
            descriptors: Vec::new(),
            pools: Vec::new(),
            runs: Vec::new(),
            keys: Vec::new(),
            tokens: 0,
            interrupted: false,
        }
    }

    pub fn host(&mut self) -> UvCtxView<'_> {
        UvCtxView { ctx: &mut self.ctx }
    }

    /// Checks what holds after every call.
    pub fn check(&mut self) {
        if self.interrupted {
            return;
        }
        assert!(self.loops.len() <= LOOPS as usize && self.handles.len() <= HANDLES as usize);
        assert!(self.descriptors.len() <= DESCRIPTORS as usize && self.pools.len() <= LOOPS as usize);
        assert!(self.runs.len() <= LOOPS as usize && !(self.is_plugin && !self.runs.is_empty()));
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
                assert_eq!(fileno.is_ok(), handle.kind == Kind::Poll && !closing);
            }
            assert_eq!(listed.next(), None, "only what the guest has made and not dropped is listed");
            let now = self.host().now(borrow::<Loop>(id));
            let timeout = self.host().poll_timeout(borrow(id));
            assert_eq!((now.is_err(), timeout.is_err()), (closed, closed));
        }
    }

    /// Makes a loop, by the function for programs or by the one for plugins.
    pub fn create_loop(&mut self, for_plugin: bool) {
        let made = match for_plugin {
            true => plugin_loop::Host::create(&mut self.host()),
            false => HostLoop::create(&mut self.host()),
        };
        if for_plugin != self.is_plugin {
            assert!(is_code(&made, ErrorCode::Enotsup));
        } else if self.loops.len() == LOOPS as usize {
            assert!(is_code(&made, ErrorCode::Emfile));
        }
        // A dropped loop keeps its place until its handles are dropped.
        self.loops.extend(made.ok().map(|made| made.rep()));
    }

    pub fn with_loop(&mut self, at: u8, call: impl FnOnce(&mut Guest, u32)) {
        if let Some((_, id)) = pick(&self.loops, at) {
            call(self, id);
        }
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
            // Its number may be given away once its handles are dropped. They are closed for good.
            self.handles.iter_mut().filter(|it| it.event_loop == id).for_each(|it| it.event_loop = NO_LOOP);
            self.runs.iter_mut().filter(|it| it.event_loop == id).for_each(|it| it.event_loop = NO_LOOP);
        }
    }

    /// Checks that an event is delivered to a handle that the guest has, on this loop, and that can
    /// have it.
    pub fn delivered(&mut self, id: u32, Event { token, kind }: Event) {
        let handle = *self.handles.iter().find(|handle| handle.token == token).expect("it is not dropped");
        assert_eq!(handle.event_loop, id);
        let closing = self.host().closing(any(handle));
        match (kind, handle.kind) {
            (EventKind::Closed, _) => assert!(closing),
            (EventKind::Poll(_), Kind::Poll) | (EventKind::Signal(_), Kind::Signal) => assert!(!closing),
            (EventKind::Callback, kind) => assert!(!closing && !matches!(kind, Kind::Poll | Kind::Signal)),
            (event, kind) => panic!("{event:?} of a {kind:?}"),
        }
    }

    fn made(&mut self, event_loop: u32, kind: Kind, made: Result<u32, Error>) {
        if let Ok(rep) = made {
            let handle = Handle { rep, kind, event_loop, token: self.tokens, pool: None };
            assert!(self.handles.iter().all(|held| held.rep != handle.rep), "its number is in use");
            self.handles.push(handle);
        }
        self.tokens += 1;
    }

    pub fn make(&mut self, at: u8, kind: Kind) {
        self.with_loop(at, |guest, id| {
            let token = guest.tokens;
            let made = resources::create(&mut guest.host(), kind, id, token);
            guest.made(id, kind, made);
        });
    }

    pub fn make_named(&mut self, at: u8, name: String) {
        self.with_loop(at, |guest, id| {
            let token = guest.tokens;
            let made = guest.host().create_named(borrow(id), token, name);
            guest.made(id, Kind::Async, made.map(|made| made.rep()));
        });
    }

    pub fn make_poll(&mut self, at: u8, descriptor: u8) {
        let Some((_, descriptor)) = pick(&self.descriptors, descriptor) else {
            return;
        };
        self.with_loop(at, |guest, id| {
            let token = guest.tokens;
            let made = HostPoll::create(&mut guest.host(), borrow(id), token, borrow(descriptor));
            guest.made(id, Kind::Poll, made.map(|made| made.rep()));
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

    pub fn receive(&mut self, at: u8) {
        self.with_handle(at, |guest, handle| {
            if handle.kind == Kind::Async {
                refusable(guest.host().receive(borrow(handle.rep)));
            }
        });
    }

    pub fn start(&mut self, at: u8, start: Start) {
        self.with_handle(at, |guest, handle @ Handle { rep, kind, .. }| {
            let started = resources::start(&mut guest.host(), kind, rep, start);
            let stopped = kind == Kind::Poll && start.events == PollEvents::empty();
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
                assert_eq!(HostTimer::repeat(&mut guest.host(), borrow(rep)).ok(), Some(repeat));
            }
        });
    }

    pub fn stop(&mut self, at: u8) {
        self.with_handle(at, |guest, handle @ Handle { rep, kind, .. }| {
            resources::stop(&mut guest.host(), kind, rep);
            assert!(kind == Kind::Async || !guest.host().active(any(handle)));
        });
    }

    pub fn drop_handle(&mut self, at: u8) {
        if let Some((at, Handle { rep, kind, .. })) = pick(&self.handles, at) {
            self.handles.remove(at);
            resources::drop_handle(&mut self.host(), kind, rep);
        }
    }
}
