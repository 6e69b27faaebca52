//! What the core must answer and keep true, held in the plainest form: a list of loops and a list of
//! handles. Which callback comes next is not its business (the differential test compares that with
//! libuv); that it is a possible one is.

use arbitrary::Arbitrary;
use std::collections::HashSet;
use uv_handles_core::{
    Error, Event, HandleId, Limits, LoopId, Loops, Occurrence, PollEvents, RunMode, SourceId, Step,
    TimerChange,
};

/// Low enough to be reached.
const LIMITS: Limits = Limits { handles: 24, loops: 3 };

#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
pub enum Kind {
    Timer,
    Idle,
    Prepare,
    Check,
    Async,
    Poll,
    Signal,
}

impl Kind {
    pub fn is_timer(self) -> bool {
        self == Kind::Timer
    }

    pub fn is_watcher(self) -> bool {
        matches!(self, Kind::Idle | Kind::Prepare | Kind::Check)
    }

    pub fn is_async(self) -> bool {
        self == Kind::Async
    }

    pub fn is_poll(self) -> bool {
        self == Kind::Poll
    }

    pub fn is_signal(self) -> bool {
        self == Kind::Signal
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    Closing,
    /// Its close callback is running.
    Called,
    Closed,
}

struct Handle {
    id: HandleId,
    owner: LoopId,
    kind: Kind,
    token: u64,
    stage: Stage,
    referenced: bool,
}

struct EventLoop {
    id: LoopId,
    now: u64,
    closed: bool,
    runs: bool,
    /// The handle whose callback is running, and whether it has been released in there.
    running: Option<(HandleId, bool)>,
    /// Given up, but handles of it are left.
    released: bool,
}

/// The core and what is known of it.
pub struct Model {
    pub loops: Loops,
    event_loops: Vec<EventLoop>,
    /// Those that are not released, in order of making.
    handles: Vec<Handle>,
}

impl Model {
    pub fn new() -> Model {
        Model { loops: Loops::new(LIMITS), event_loops: Vec::new(), handles: Vec::new() }
    }

    /// Does this with a loop that the guest has.
    pub fn with_loop(&mut self, at: u8, call: impl FnOnce(&mut Model, LoopId)) {
        let held: Vec<LoopId> = self.event_loops.iter().filter(|it| !it.released).map(|it| it.id).collect();
        if !held.is_empty() {
            call(self, held[at as usize % held.len()]);
        }
    }

    /// Does this with a handle of one of these kinds.
    pub fn with_kind(&mut self, at: u8, of: impl Fn(Kind) -> bool, call: impl FnOnce(&mut Model, HandleId)) {
        let held: Vec<HandleId> = self.handles.iter().filter(|it| of(it.kind)).map(|it| it.id).collect();
        if !held.is_empty() {
            call(self, held[at as usize % held.len()]);
        }
    }

    /// Does this with a handle.
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
        let event_loop = EventLoop { id, now, closed: false, runs: false, running: None, released: false };
        self.event_loops.push(event_loop);
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
        self.event_loop_mut(id).runs |= begun.is_ok();
    }

    /// Goes on to the next callback or the end of the run, with a wait in which nothing happens.
    pub fn drive(&mut self, id: LoopId, mode: RunMode, now: u64) {
        if !self.event_loop(id).runs {
            self.begin(id, mode);
        }
        self.step(id, now);
        self.loops.polled(id, now);
        self.step(id, now);
    }

    pub fn step(&mut self, id: LoopId, now: u64) {
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

    /// Goes on as far as is known, at most so many callbacks.
    fn pass(&mut self, id: LoopId, most: usize) {
        let upcoming: Vec<Event> = self.loops.upcoming(id).take(most).collect();
        let handles: Vec<HandleId> = upcoming.iter().map(|event| event.handle).collect();
        assert_eq!(self.loops.pass(id, &handles), handles.len());
        for event in upcoming {
            self.called(id);
            self.delivered(id, event);
        }
    }

    /// The callback that was running is over.
    fn called(&mut self, id: LoopId) {
        if let Some((before, false)) = self.event_loop_mut(id).running.take()
            && let Some(handle) = self.handles.iter_mut().find(|handle| handle.id == before)
            && handle.stage == Stage::Called
        {
            handle.stage = Stage::Closed;
        }
    }

    /// An event comes to a handle that can have it.
    fn delivered(&mut self, id: LoopId, Event { handle, token, what }: Event) {
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
            // One that is made ahead is a timer as any other, once it is opened.
            Kind::Timer if token % 2 == 1 => loops.make_reserve().and_then(|reserve| {
                let timer = loops.reserve_timers(reserve, owner, 1).map(|timers| timers[0]);
                if let Ok(timer) = timer {
                    loops.change_timer(reserve, timer.index(), TimerChange::Open { token });
                }
                // It stays, and there may not be as many reserves as timers.
                loops.release_reserve(reserve);
                timer
            }),
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
        // A handle that was released in its own callback keeps its place until that is over.
        let left_over = self.event_loops.iter().filter(|it| matches!(it.running, Some((_, true)))).count();
        let full = self.handles.len() + left_over >= LIMITS.handles as usize;
        let expected = self.if_open(owner).and(if full { Err(Error::TooManyHandles) } else { Ok(()) });
        assert_eq!(made.map(drop), expected);
        if let Ok(id) = made {
            assert!(self.handles.iter().all(|handle| handle.id != id), "its number is in use");
            self.handles.push(Handle { id, owner, kind, token, stage: Stage::Open, referenced: true });
        }
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

    /// A call that is refused on a closing handle, and only there. Answers whether it was accepted.
    pub fn expect_open(&self, id: HandleId, called: Result<(), Error>) -> bool {
        let expected = match self.handle(id).stage {
            Stage::Open => Ok(()),
            _ => Err(Error::HandleClosed),
        };
        assert_eq!(called, expected);
        called.is_ok()
    }

    /// Something waits to be called. A run may have taken it out already.
    pub fn expect_ready(&self, id: HandleId) {
        let owner = self.handle(id).owner;
        assert!(self.loops.has_ready(owner) || self.event_loop(owner).runs);
    }

    /// What is true after every call.
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

            // Those of the closing phase in progress do not count, and only the core knows which they are.
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

    /// Gives everything up. All places must be free then.
    pub fn release_everything(mut self) {
        while let Some(&EventLoop { id, .. }) = self.event_loops.iter().find(|it| !it.released) {
            self.release_loop(id);
            self.check();
        }
        while let Some(&Handle { id, .. }) = self.handles.first() {
            self.release(id);
            self.check();
        }
        assert!(self.event_loops.is_empty());
        assert_eq!(self.loops.watched_signals(), 0);
        let loops: HashSet<LoopId> = (0..LIMITS.loops).map(|_| self.loops.make_loop(0).unwrap()).collect();
        assert_eq!(loops.len(), LIMITS.loops as usize);
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

    fn if_open(&self, id: LoopId) -> Result<(), Error> {
        if self.event_loop(id).closed { Err(Error::LoopClosed) } else { Ok(()) }
    }

    fn forget_unused_loop(&mut self, id: LoopId) {
        let used = self.handles.iter().any(|handle| handle.owner == id);
        self.event_loops.retain(|it| it.id != id || !it.released || used);
    }

    fn event_loop(&self, id: LoopId) -> &EventLoop {
        self.event_loops.iter().find(|it| it.id == id).expect("it is held")
    }

    fn event_loop_mut(&mut self, id: LoopId) -> &mut EventLoop {
        self.event_loops.iter_mut().find(|it| it.id == id).expect("it is held")
    }

    fn handle(&self, id: HandleId) -> &Handle {
        self.handles.iter().find(|handle| handle.id == id).expect("it is held")
    }

    fn handle_mut(&mut self, id: HandleId) -> &mut Handle {
        self.handles.iter_mut().find(|handle| handle.id == id).expect("it is held")
    }
}
