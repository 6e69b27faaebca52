//! The unit tests' driver: one loop on simulated time, with callback hooks.

use crate::{
    Driver, Error, Event, HandleId, Limits, LoopId, Loops, Occurrence, PollEvents, Progress, RunMode, Step,
};
use std::collections::VecDeque;

/// The record of a callback that the tests compare: the handle and the kind.
pub(crate) type Call = (HandleId, Occurrence);

pub(crate) fn call(handle: HandleId) -> Call {
    (handle, Occurrence::Callback)
}

pub(crate) fn close(handle: HandleId) -> Call {
    (handle, Occurrence::Closed)
}

pub(crate) fn signal(handle: HandleId, signum: i32) -> Call {
    (handle, Occurrence::Signal(signum))
}

pub(crate) fn ready(handle: HandleId, events: PollEvents) -> Call {
    (handle, Occurrence::Poll(Ok(events)))
}

pub(crate) fn poll_error(handle: HandleId) -> Call {
    (handle, Occurrence::Poll(Err(Error::BadDescriptor)))
}

type Hook = Box<dyn FnOnce(&mut World)>;
type AtPoll = Box<dyn FnOnce(&mut World) -> bool>;

pub(crate) struct World {
    pub loops: Loops,
    /// The loop that the helpers use.
    pub main: LoopId,
    /// The simulated time. A wait advances it.
    pub time: u64,
    /// The timeouts of all polls.
    pub polls: Vec<Option<u32>>,
    trace: Vec<Call>,
    hooks: Vec<(Call, Hook)>,
    at_poll: VecDeque<AtPoll>,
}

impl World {
    pub fn new() -> World {
        let mut loops = Loops::new(Limits::default());
        let main = loops.make_loop(0).unwrap();
        World {
            loops,
            main,
            time: 0,
            polls: Vec::new(),
            trace: Vec::new(),
            hooks: Vec::new(),
            at_poll: VecDeque::new(),
        }
    }

    pub fn timer(&mut self) -> HandleId {
        self.loops.make_timer(self.main, 0).unwrap()
    }

    pub fn async_handle(&mut self) -> HandleId {
        self.loops.make_async(self.main, 0).unwrap()
    }

    pub fn started_idle(&mut self) -> HandleId {
        let idle = self.loops.make_idle(self.main, 0).unwrap();
        self.loops.watcher_start(idle).unwrap();
        idle
    }

    pub fn alive(&self) -> bool {
        self.loops.alive(self.main)
    }

    /// Runs `hook` inside this callback, the first time that it runs.
    pub fn on(&mut self, call: Call, hook: impl FnOnce(&mut World) + 'static) {
        self.hooks.push((call, Box::new(hook)));
    }

    /// Runs `report` in the next poll. It reports readiness and returns whether that ends the wait.
    pub fn at_poll(&mut self, report: impl FnOnce(&mut World) -> bool + 'static) {
        self.at_poll.push_back(Box::new(report));
    }

    /// Returns the callbacks since the last call of this function.
    pub fn trace(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.trace)
    }

    pub fn run(&mut self, mode: RunMode) -> bool {
        let id = self.main;
        self.loops.begin(id, mode).unwrap();
        loop {
            let time = self.time;
            match self.loops.step(id, &mut || time).unwrap() {
                Step::Finished { alive } => return alive,
                Step::Deliver(Event { handle, what, .. }) => {
                    self.trace.push((handle, what));
                    if let Some(at) = self.hooks.iter().position(|(call, _)| *call == (handle, what)) {
                        let (_, hook) = self.hooks.remove(at);
                        hook(self);
                    }
                }
                Step::Poll { timeout } => {
                    self.polls.push(timeout);
                    let woken = match self.at_poll.pop_front() {
                        Some(report) => report(self),
                        None => false,
                    };
                    if !woken {
                        self.time += u64::from(timeout.expect("the test would wait forever"));
                    }
                    self.loops.polled(id, self.time);
                }
            }
        }
    }
}

/// Sessions on the simulated time. A wait is left to the test, which moves the time.
impl Driver for World {
    type Error = Error;

    fn loops(&mut self) -> &mut Loops {
        &mut self.loops
    }

    fn proceed(&mut self, id: LoopId) -> Result<Progress, Error> {
        loop {
            let time = self.time;
            match self.loops.step(id, &mut || time)? {
                Step::Deliver(event) => return Ok(Progress::Deliver(event)),
                Step::Finished { alive } => return Ok(Progress::Finished { alive }),
                Step::Poll { timeout } => {
                    let is_over = self.loops.next_deadline(id).is_some_and(|deadline| deadline <= time);
                    if timeout != Some(0) && !self.loops.has_ready(id) && !is_over {
                        return Ok(Progress::Wait);
                    }
                    self.loops.polled(id, time);
                }
            }
        }
    }

    fn close(&mut self, handle: HandleId) {
        self.loops.close(handle);
    }
}

impl Drop for World {
    /// A hook that never ran means that the test tested nothing.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.hooks.is_empty() && self.at_poll.is_empty(), "a hook never ran");
        }
    }
}
