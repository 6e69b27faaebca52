//! The second side: the loop's core alone. Time is a number, and poll(2) tells which sources are
//! ready.

use crate::peers::Peers;
use rustix::event::PollFlags;
use std::cell::{Cell, RefCell};
use uv_handles_conformance_program::{
    Called, Declared, HandleOp, Kind, LoopOp, Mode, OnCalled, Op, Program, Side, Source, Start, What,
};
use uv_handles_core::{
    Error, Event, HandleId, Limits, LoopId, Loops, Occurrence, PollEvents, Readiness, RunMode, SourceId, Step,
};

/// The core as a side.
pub struct Core {
    loops: RefCell<Loops>,
    ids: RefCell<Vec<LoopId>>,
    /// The created handles, by number.
    made: RefCell<Vec<Option<Made>>>,
    peers: Peers,
    now: Cell<u64>,
    on_called: OnCalled,
    guards: usize,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("loops", &self.loops).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy)]
struct Made {
    id: HandleId,
    declared: Declared,
    callback: u32,
    close_callback: bool,
}

impl Core {
    /// A side for the program, which has no guards yet.
    pub fn new(program: &Program, on_called: OnCalled) -> Core {
        Core {
            loops: RefCell::new(Loops::new(Limits::default())),
            ids: RefCell::default(),
            made: RefCell::new(vec![None; program.handles.len() + program.loops]),
            peers: Peers::new(program),
            now: Cell::new(0),
            on_called,
            guards: program.handles.len(),
        }
    }

    fn made(&self, handle: usize) -> Made {
        self.made.borrow()[handle].expect("only made handles are used")
    }

    fn id(&self, at: usize) -> LoopId {
        self.ids.borrow()[at]
    }

    fn make(&self, handle: usize, declared: Declared) -> String {
        let (mut loops, owner, token) = (self.loops.borrow_mut(), self.id(declared.owner), handle as u64);
        let made = match declared.kind {
            Kind::Timer => loops.make_timer(owner, token),
            Kind::Idle => loops.make_idle(owner, token),
            Kind::Prepare => loops.make_prepare(owner, token),
            Kind::Check => loops.make_check(owner, token),
            Kind::Async => loops.make_async(owner, token),
            Kind::Signal => loops.make_signal(owner, token),
            Kind::Poll => match declared.source {
                Source::Pair(pair) => loops.make_poll(owner, token, SourceId(pair as u64)),
                // A driver finds these errors before it asks the core.
                Source::File if loops.loop_closed(owner) => Err(Error::LoopClosed),
                Source::File => return "EPERM".into(),
            },
        };
        if let Ok(id) = made {
            self.made.borrow_mut()[handle] = Some(Made { id, declared, callback: 0, close_callback: false });
        }
        done(made)
    }

    fn handle_op(&self, handle: usize, op: &HandleOp) -> String {
        let Made { id, declared, .. } = self.made(handle);
        let mut loops = self.loops.borrow_mut();
        let replace = |result: Result<(), Error>, with: Option<u32>| {
            if let (Ok(()), Some(callback)) = (result, with) {
                self.change(handle, |made| made.callback = callback);
            }
            done(result)
        };
        match op {
            HandleOp::Start { start, with } => {
                let result = match *start {
                    Start::Timer { timeout, repeat } => loops.timer_start(id, timeout, repeat),
                    Start::Watcher => loops.watcher_start(id),
                    Start::Poll { events } => loops.poll_start(id, PollEvents::from_bits_truncate(events)),
                    Start::Signal { signum, oneshot } => loops.signal_start(id, signum, oneshot, |_| true),
                };
                replace(result, *with)
            }
            HandleOp::Send { with } => replace(loops.async_send(id), *with),
            HandleOp::Stop => {
                match declared.kind {
                    Kind::Timer => loops.timer_stop(id),
                    Kind::Poll => loops.poll_stop(id),
                    Kind::Signal => loops.signal_stop(id),
                    _ => loops.watcher_stop(id),
                }
                "ok".into()
            }
            HandleOp::Again => done(loops.timer_again(id)),
            HandleOp::Repeat => number(loops.timer_repeat(id)),
            HandleOp::SetRepeat(repeat) => done(loops.timer_set_repeat(id, *repeat)),
            HandleOp::DueIn => number(loops.timer_due_in(id)),
            HandleOp::Signum => number(loops.signal_signum(id)),
            HandleOp::SetCallback(callback) => {
                self.change(handle, |made| made.callback = *callback);
                "ok".into()
            }
            HandleOp::Close | HandleOp::CloseWith => {
                if !loops.handle_closing(id) {
                    self.change(handle, |made| made.close_callback = *op == HandleOp::CloseWith);
                }
                loops.close(id);
                "ok".into()
            }
            HandleOp::Active => loops.active(id).to_string(),
            HandleOp::Closing => loops.handle_closing(id).to_string(),
            HandleOp::Closed => loops.handle_closed(id).to_string(),
            HandleOp::Referenced => loops.referenced(id).to_string(),
            HandleOp::Reference => done(loops.reference(id)),
            HandleOp::Dereference => done(loops.dereference(id)),
            HandleOp::Fileno => match (loops.check_open(id), loops.poll_source(id)) {
                (Err(error), _) => name(error),
                (Ok(()), Some(_)) => "its descriptor".into(),
                (Ok(()), None) => name(Error::Invalid),
            },
            HandleOp::Buffers => name(loops.check_open(id).err().unwrap_or(Error::Invalid)),
            HandleOp::Make => unreachable!("`perform` makes handles"),
        }
    }

    fn change(&self, handle: usize, change: impl FnOnce(&mut Made)) {
        if let Some(made) = &mut self.made.borrow_mut()[handle] {
            change(made);
        }
    }

    fn loop_op(&self, at: usize, op: LoopOp) -> String {
        let id = self.id(at);
        if let LoopOp::Run(mode) = op {
            return match self.run(id, mode) {
                Ok(alive) => alive.to_string(),
                Err(error) => name(error),
            };
        }
        let mut loops = self.loops.borrow_mut();
        match op {
            LoopOp::Stop => {
                loops.stop(id);
                "ok".into()
            }
            LoopOp::UpdateTime => done(loops.update_time(id, self.now.get())),
            LoopOp::Now => number(loops.now(id)),
            LoopOp::Alive => loops.alive(id).to_string(),
            LoopOp::Timeout => match loops.poll_timeout(id) {
                Ok(Some(timeout)) => timeout.to_string(),
                Ok(None) => "none".into(),
                Err(error) => name(error),
            },
            LoopOp::Walk => {
                let handles = loops.handles(id).into_iter().map(|id| loops.token(id));
                format!("{:?}", handles.collect::<Vec<_>>())
            }
            LoopOp::Close => done(loops.close_loop(id)),
            LoopOp::Closed => loops.loop_closed(id).to_string(),
            LoopOp::Run(_) | LoopOp::Finish => unreachable!("handled elsewhere"),
        }
    }

    fn run(&self, id: LoopId, mode: Mode) -> Result<bool, Error> {
        let mode = match mode {
            Mode::Default => RunMode::Default,
            Mode::Once => RunMode::Once,
            Mode::NoWait => RunMode::NoWait,
        };
        self.loops.borrow_mut().begin(id, mode)?;
        loop {
            let step = self.loops.borrow_mut().step(id, &mut || self.now.get())?;
            match step {
                Step::Finished { alive } => return Ok(alive),
                Step::Poll { timeout } => {
                    self.wait(id, timeout);
                    self.loops.borrow_mut().polled(id, self.now.get());
                }
                Step::Deliver(event) => self.deliver(event),
            }
        }
    }

    fn wait(&self, id: LoopId, timeout: Option<u32>) {
        let mut loops = self.loops.borrow_mut();
        // In order of creation.
        let mut all: Vec<Made> = self.made.borrow().iter().flatten().copied().collect();
        all.sort_by_key(|made| made.id.index());
        for made in all {
            let asked = loops.poll_events(made.id);
            if made.declared.kind == Kind::Poll && loops.loop_of(made.id) == id && !asked.is_empty() {
                loops.poll_ready(made.id, readiness(self.peers.ready(made.declared.source)));
            }
        }
        if loops.has_ready(id) {
            return;
        }
        match timeout {
            // As long as it is by the clock until the cached time and the timeout have come
            // together.
            Some(timeout) => {
                let cached = loops.now(id).expect("a loop that runs is open");
                self.now.set(self.now.get().max(cached + u64::from(timeout)));
            }
            None => {
                for guard in self.guards..self.made.borrow().len() {
                    // Refused where the loop is closed.
                    let _ = loops.async_send(self.made(guard).id);
                }
                assert!(loops.has_ready(id), "the loop waits for ever, and its guard does not wake it");
            }
        }
    }

    fn deliver(&self, Event { token, what, .. }: Event) {
        let made = self.made(token as usize);
        let what = match what {
            Occurrence::Callback => What::Callback(made.callback),
            Occurrence::Poll(Ok(events)) => What::Poll(made.callback, Ok(events.bits())),
            Occurrence::Poll(Err(error)) => What::Poll(made.callback, Err(name(error))),
            Occurrence::Signal(signum) => What::Signal(made.callback, signum),
            Occurrence::Closed if made.close_callback => What::Closed,
            Occurrence::Closed => return,
        };
        (self.on_called)(Called { handle: token as usize, what });
    }
}

impl Side for Core {
    fn make_loop(&self) {
        let made = self.loops.borrow_mut().make_loop(0).expect("the limit is higher");
        self.ids.borrow_mut().push(made);
    }

    fn perform(&self, op: &Op, program: &Program) -> String {
        match op {
            Op::Handle(handle, HandleOp::Make) => self.make(*handle, program.handles[*handle]),
            Op::Handle(handle, op) => self.handle_op(*handle, op),
            Op::Loop(at, op) => self.loop_op(*at, *op),
            Op::Source(pair, op) => self.peers.perform(*pair, *op),
            Op::Raise(signum) => {
                let mut loops = self.loops.borrow_mut();
                let all: Vec<LoopId> = loops.all_loops().collect();
                all.into_iter().for_each(|id| loops.signal_delivered(id, *signum));
                "ok".into()
            }
            Op::Burn(milliseconds) => {
                self.now.set(self.now.get() + milliseconds);
                "ok".into()
            }
        }
    }
}

fn readiness(flags: PollFlags) -> Readiness {
    let pairs = [
        (PollFlags::IN, Readiness::READABLE),
        (PollFlags::OUT, Readiness::WRITABLE),
        (PollFlags::RDHUP, Readiness::DISCONNECT),
        (PollFlags::PRI, Readiness::PRIORITIZED),
        (PollFlags::HUP, Readiness::HANGUP),
        (PollFlags::ERR, Readiness::ERROR),
    ];
    pairs.into_iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, readiness)| readiness).collect()
}

fn done<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "ok".into(),
        Err(error) => name(error),
    }
}

fn number<T: ToString>(result: Result<T, Error>) -> String {
    match result {
        Ok(number) => number.to_string(),
        Err(error) => name(error),
    }
}

/// The name under which the error reaches a guest.
fn name(error: Error) -> String {
    match error {
        Error::HandleClosed => "handle-closed",
        Error::LoopClosed => "loop-closed",
        Error::Invalid => "EINVAL",
        Error::Busy => "EBUSY",
        Error::Exists => "EEXIST",
        Error::BadDescriptor => "EBADF",
        Error::AccessDenied => "EACCES",
        Error::TooManyHandles => "ENOMEM",
        Error::TooManyLoops => "EMFILE",
    }
    .into()
}
