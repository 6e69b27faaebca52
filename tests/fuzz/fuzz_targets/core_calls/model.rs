//! The model: the answers and the state of the core, as lists of loops, handles, runs and pools.
//!
//! The model does not know which callback comes next (the differential test compares that with
//! libuv). It knows that the callback is a possible one.

use crate::handle::{Handle, Kind, Stage};
use crate::runs::{Ended, Session};
use std::collections::HashSet;
use uv_handles_core::{
    Error, Event, HandleId, Limits, LoopId, Loops, Occurrence, PollEvents, PoolId, RunMode, SourceId, Step,
};

/// Low enough to be reached.
pub const LIMITS: Limits = Limits { handles: 24, loops: 3 };

pub struct EventLoop {
    pub id: LoopId,
    now: u64,
    pub closed: bool,
    pub runs: bool,
    /// The run in progress belongs to a session, which alone goes on with it.
    pub in_session: bool,
    /// The handle whose callback is running, and whether it was released inside it.
    running: Option<(HandleId, bool)>,
    /// The loop is released, but some of its handles are not.
    released: bool,
}

/// The core and the model of it.
pub struct Model {
    pub loops: Loops,
    event_loops: Vec<EventLoop>,
    /// The handles that are not released, in order of making.
    pub handles: Vec<Handle>,
    pub sessions: Vec<Session>,
    pub pools: Vec<PoolId>,
    /// How many keys of runs have been made.
    pub keys: u64,
}

impl Model {
    pub fn new() -> Model {
        Model {
            loops: Loops::new(LIMITS),
            event_loops: Vec::new(),
            handles: Vec::new(),
            sessions: Vec::new(),
            pools: Vec::new(),
            keys: 0,
        }
    }

    /// Makes this call with a loop that is not released.
    pub fn with_loop(&mut self, at: u8, call: impl FnOnce(&mut Model, LoopId)) {
        let held: Vec<LoopId> = self.event_loops.iter().filter(|it| !it.released).map(|it| it.id).collect();
        if !held.is_empty() {
            call(self, held[at as usize % held.len()]);
        }
    }

    /// Makes this call with a handle of one of these kinds.
    pub fn with_kind(&mut self, at: u8, of: impl Fn(Kind) -> bool, call: impl FnOnce(&mut Model, HandleId)) {
        let held: Vec<HandleId> = self.handles.iter().filter(|it| of(it.kind)).map(|it| it.id).collect();
        if !held.is_empty() {
            call(self, held[at as usize % held.len()]);
        }
    }

    /// Makes this call with a handle.
    pub fn with_handle(&mut self, at: u8, call: impl FnOnce(&mut Model, HandleId)) {
        self.with_kind(at, |_| true, call);
    }

    pub fn make_loop(&mut self, now: u64) {
        let made = self.loops.make_loop(now);
        if self.event_loops.len() == LIMITS.loops as usize {
            assert_eq!(made, Err(Error::TooManyLoops));
            return;
        }
        let id = made.expect("the limit is not reached");
        assert!(self.event_loops.iter().all(|it| it.id != id), "its number is in use");
        self.event_loops.push(EventLoop {
            id,
            now,
            closed: false,
            runs: false,
            in_session: false,
            running: None,
            released: false,
        });
    }

    pub fn close_loop(&mut self, id: LoopId) {
        let state = self.event_loop(id);
        let expected = match state.closed || !state.runs && self.open_handles(id).is_empty() {
            true => Ok(()),
            false => Err(Error::Busy),
        };
        assert_eq!(self.loops.close_loop(id), expected);
        if expected.is_ok() {
            self.event_loop_mut(id).closed = true;
        }
    }

    pub fn release_loop(&mut self, id: LoopId) {
        self.loops.release_loop(id);
        let state = self.event_loop_mut(id);
        (state.closed, state.runs, state.running, state.released) = (true, false, None, true);
        for session in self.sessions.iter_mut().filter(|it| it.owner == id && it.ended.is_none()) {
            session.end(Ended::LoopGone);
        }
        for handle in self.handles.iter_mut().filter(|handle| handle.owner == id) {
            (handle.stage, handle.referenced) = (Stage::Closed, false);
        }
        self.forget_unused_loop(id);
    }

    pub fn update_time(&mut self, id: LoopId, now: u64) {
        let updated = self.loops.update_time(id, now);
        assert_eq!(updated, self.if_open(id));
    }

    pub fn begin(&mut self, id: LoopId, mode: RunMode) {
        let begun = self.loops.begin(id, mode);
        let expected = match self.event_loop(id).runs {
            true => Err(Error::Busy),
            false => self.if_open(id),
        };
        assert_eq!(begun, expected);
        if begun.is_ok() {
            let state = self.event_loop_mut(id);
            (state.runs, state.in_session) = (true, false);
        }
    }

    /// Goes on to the next callback or the end of the run, with a wait in which nothing happens.
    pub fn drive(&mut self, id: LoopId, mode: RunMode, now: u64) {
        if !self.event_loop(id).runs {
            self.begin(id, mode);
        }
        self.step(id, now);
        self.polled(id, now);
        self.step(id, now);
    }

    pub fn polled(&mut self, id: LoopId, now: u64) {
        if !self.is_in_session(id) {
            self.loops.polled(id, now);
        }
    }

    fn is_in_session(&self, id: LoopId) -> bool {
        let state = self.event_loop(id);
        state.runs && state.in_session
    }

    pub fn step(&mut self, id: LoopId, now: u64) {
        if self.is_in_session(id) {
            return;
        }
        let step = self.loops.step(id, &mut || now);
        let state = self.event_loop_mut(id);
        if !state.runs {
            let expected = if state.closed { Error::LoopClosed } else { Error::Invalid };
            assert_eq!(step, Err(expected));
            return;
        }
        self.called(id);
        match step.expect("a run is in progress") {
            Step::Deliver(event) => {
                self.delivered(id, event);
                self.pass(id, now as usize % 4);
            }
            Step::Poll { .. } => {}
            Step::Finished { .. } => self.event_loop_mut(id).runs = false,
        }
    }

    /// Passes upcoming callbacks, at most this many.
    fn pass(&mut self, id: LoopId, most: usize) {
        let upcoming: Vec<Event> = self.loops.upcoming(id).take(most).collect();
        let handles: Vec<HandleId> = upcoming.iter().map(|event| event.handle).collect();
        assert_eq!(self.loops.pass(id, &handles), handles.len());
        for event in upcoming {
            self.called(id);
            self.delivered(id, event);
        }
    }

    /// The callback that was running has returned.
    pub fn called(&mut self, id: LoopId) {
        if let Some((before, false)) = self.event_loop_mut(id).running.take()
            && let Some(handle) = self.handles.iter_mut().find(|handle| handle.id == before)
            && handle.stage == Stage::Called
        {
            handle.stage = Stage::Closed;
        }
    }

    /// Checks that an event is delivered to a handle that can have it.
    pub fn delivered(&mut self, id: LoopId, Event { handle, token, what }: Event) {
        self.event_loop_mut(id).running = Some((handle, false));
        let known = self.handles.iter_mut().find(|known| known.id == handle).expect("it is not released");
        assert_eq!((known.owner, known.token), (id, token));
        if what == Occurrence::Closed {
            assert_eq!(known.stage, Stage::Closing);
            (known.stage, known.referenced) = (Stage::Called, false);
            return;
        }
        assert_eq!(known.stage, Stage::Open, "{what:?}");
        match (what, known.kind) {
            (Occurrence::Callback, Kind::Poll | Kind::Signal) => panic!("a callback of a {:?}", known.kind),
            (Occurrence::Callback, _) => {}
            (Occurrence::Poll(Ok(events)), Kind::Poll) => {
                assert!(!events.is_empty() && self.loops.poll_events(handle).contains(events));
            }
            (Occurrence::Poll(Err(error)), Kind::Poll) => {
                assert_eq!(error, Error::BadDescriptor);
                assert!(!self.loops.active(handle), "an error stops the handle");
            }
            (Occurrence::Signal(signum), Kind::Signal) => assert_eq!(self.loops.signum(handle), signum),
            (what, kind) => panic!("{what:?} of a {kind:?}"),
        }
    }

    pub fn make(&mut self, owner: LoopId, kind: Kind, token: u64, source: SourceId) {
        let loops = &mut self.loops;
        let made = match kind {
            Kind::Timer => loops.make_timer(owner, token),
            Kind::Idle => loops.make_idle(owner, token),
            Kind::Prepare => loops.make_prepare(owner, token),
            Kind::Check => loops.make_check(owner, token),
            Kind::Async => loops.make_async(owner, token),
            Kind::Poll => loops.make_poll(owner, token, source),
            Kind::Signal => loops.make_signal(owner, token),
        };
        if kind == Kind::Poll && made == Err(Error::Exists) {
            return;
        }
        let full = self.free_places() == 0;
        let expected = self.if_open(owner).and(if full { Err(Error::TooManyHandles) } else { Ok(()) });
        assert_eq!(made.map(drop), expected);
        if let Ok(id) = made {
            assert!(self.handles.iter().all(|handle| handle.id != id), "its number is in use");
            let (stage, referenced, pool) = (Stage::Open, true, None);
            self.handles.push(Handle { id, owner, kind, token, stage, referenced, pool });
        }
    }

    /// How many more handles the limit allows.
    pub fn free_places(&self) -> usize {
        // A handle that was released in its own callback keeps its place until the callback returns.
        let left_over = self.event_loops.iter().filter(|it| matches!(it.running, Some((_, true)))).count();
        LIMITS.handles as usize - self.handles.len() - left_over
    }

    pub fn close(&mut self, id: HandleId) {
        self.loops.close(id);
        let handle = self.handle_mut(id);
        if handle.stage == Stage::Open {
            handle.stage = Stage::Closing;
        }
    }

    pub fn release(&mut self, id: HandleId) {
        self.loops.release(id);
        let at = self.handles.iter().position(|handle| handle.id == id).expect("it is held");
        let owner = self.handles.remove(at).owner;
        if let Some((running, released)) = &mut self.event_loop_mut(owner).running
            && *running == id
        {
            *released = true;
        }
        self.forget_unused_loop(owner);
    }

    pub fn set_referenced(&mut self, id: HandleId, referenced: bool) {
        let set = match referenced {
            true => self.loops.reference(id),
            false => self.loops.dereference(id),
        };
        if self.expect_open(id, set) {
            self.handle_mut(id).referenced = referenced;
        }
    }

    pub fn stop(&mut self, id: HandleId) {
        match self.handle(id).kind {
            Kind::Timer => self.loops.timer_stop(id),
            Kind::Idle | Kind::Prepare | Kind::Check => self.loops.watcher_stop(id),
            Kind::Poll => self.loops.poll_stop(id),
            Kind::Signal => self.loops.signal_stop(id),
            Kind::Async => return,
        }
        assert!(!self.loops.active(id));
    }

    /// Checks a call that is refused on a closing handle, and only there. Returns whether it was
    /// accepted.
    pub fn expect_open(&self, id: HandleId, called: Result<(), Error>) -> bool {
        let expected = match self.handle(id).stage {
            Stage::Open => Ok(()),
            _ => Err(Error::HandleClosed),
        };
        assert_eq!(called, expected);
        called.is_ok()
    }

    /// Checks that a callback is due. A run may have taken it out already.
    pub fn expect_ready(&self, id: HandleId) {
        let owner = self.handle(id).owner;
        assert!(self.loops.has_ready(owner) || self.event_loop(owner).runs);
    }

    /// Checks what holds after every call.
    pub fn check(&mut self) {
        for handle in &self.handles {
            let (loops, id, stage) = (&self.loops, handle.id, handle.stage);
            assert_eq!(loops.token(id), handle.token);
            assert_eq!(loops.loop_of(id), handle.owner);
            assert_eq!(loops.handle_closing(id), stage != Stage::Open);
            assert_eq!(loops.handle_closed(id), stage == Stage::Closed);
            assert_eq!(loops.referenced(id), handle.referenced);
            assert!(!loops.active(id) || stage == Stage::Open, "only an open handle is active");
            assert!(handle.kind != Kind::Async || loops.active(id) == (stage == Stage::Open));
            assert_eq!(
                loops.poll_events(id) != PollEvents::empty(),
                handle.kind == Kind::Poll && loops.active(id)
            );
            assert_eq!(loops.signum(id) != 0, handle.kind == Kind::Signal && loops.active(id));
        }
        let signums = self.handles.iter().map(|handle| self.loops.signum(handle.id)).filter(|&it| it != 0);
        assert_eq!(self.loops.watched_signals(), signums.fold(0, |set, signum| set | 1 << (signum - 1)));

        for at in 0..self.event_loops.len() {
            let (id, closed) = (self.event_loops[at].id, self.event_loops[at].closed);
            if self.event_loops[at].released {
                continue;
            }
            assert_eq!(self.loops.loop_closed(id), closed);
            let open = self.open_handles(id);
            assert_eq!(self.loops.handles(id), open);

            // Handles that the closing phase in progress has taken out do not keep the loop alive. Only
            // the core knows which handles those are.
            let active = |handle: &HandleId| self.loops.active(*handle) && self.loops.referenced(*handle);
            let closing = open.iter().any(|&handle| self.loops.handle_closing(handle));
            let (active, alive) = (open.iter().any(active), self.loops.alive(id));
            assert!(!alive || active || closing, "nothing keeps it alive");
            assert!(alive || !active, "an active handle keeps it alive");
            assert!(alive || !closing || self.event_loops[at].runs, "a closing handle keeps it alive");

            let timeout = self.loops.poll_timeout(id);
            assert_eq!(timeout.map(drop), self.if_open(id));
            assert!(active || closed || timeout == Ok(Some(0)), "it would wait for nothing");
            if let Ok(now) = self.loops.now(id) {
                assert!(now >= self.event_loops[at].now, "the time goes back");
                self.event_loops[at].now = now;
            }
        }
    }

    /// Releases everything. All places must be free then.
    pub fn release_everything(mut self) {
        // Half of the runs before their loops, the others after them.
        while self.sessions.len() > LIMITS.loops as usize / 2 {
            self.release_run(0);
            self.check();
        }
        while let Some(&EventLoop { id, .. }) = self.event_loops.iter().find(|it| !it.released) {
            self.release_loop(id);
            self.check();
        }
        while let Some(&Handle { id, .. }) = self.handles.first() {
            self.release(id);
            self.check();
        }
        while !self.sessions.is_empty() {
            self.release_run(0);
        }
        while !self.pools.is_empty() {
            self.release_pool(0);
        }
        assert!(self.event_loops.is_empty());
        assert_eq!(self.loops.watched_signals(), 0);
        let loops: HashSet<LoopId> = (0..LIMITS.loops).map(|_| self.loops.make_loop(0).unwrap()).collect();
        assert_eq!(loops.len(), LIMITS.loops as usize);
        for &owner in &loops {
            self.loops.begin_run(owner, RunMode::Default).expect("no run is left");
            self.loops.make_pool().expect("no pool is left");
        }
        let owner = *loops.iter().next().expect("the limit is not 0");
        let all: HashSet<HandleId> =
            (0..LIMITS.handles).map(|_| self.loops.make_timer(owner, 0).unwrap()).collect();
        assert_eq!(all.len(), LIMITS.handles as usize);
    }

    fn open_handles(&self, id: LoopId) -> Vec<HandleId> {
        let open =
            |handle: &&Handle| handle.owner == id && matches!(handle.stage, Stage::Open | Stage::Closing);
        self.handles.iter().filter(open).map(|handle| handle.id).collect()
    }

    pub fn if_open(&self, id: LoopId) -> Result<(), Error> {
        if self.event_loop(id).closed { Err(Error::LoopClosed) } else { Ok(()) }
    }

    fn forget_unused_loop(&mut self, id: LoopId) {
        let used = self.handles.iter().any(|handle| handle.owner == id);
        self.event_loops.retain(|it| it.id != id || !it.released || used);
    }

    pub fn event_loop(&self, id: LoopId) -> &EventLoop {
        self.event_loops.iter().find(|it| it.id == id).expect("it is held")
    }

    pub fn event_loop_mut(&mut self, id: LoopId) -> &mut EventLoop {
        self.event_loops.iter_mut().find(|it| it.id == id).expect("it is held")
    }

    fn handle(&self, id: HandleId) -> &Handle {
        self.handles.iter().find(|handle| handle.id == id).expect("it is held")
    }

    fn handle_mut(&mut self, id: HandleId) -> &mut Handle {
        self.handles.iter_mut().find(|handle| handle.id == id).expect("it is held")
    }
}
