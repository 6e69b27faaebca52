//! The SDK as a side of the differential test, in a guest or on the machine itself.

use std::cell::RefCell;
use std::collections::HashMap;
use uv_handles::{
    AnyHandle, Async, Check, Descriptor, Error, Handle, Idle, Loop, Poll, PollEvents, Prepare, Result,
    RunMode, Signal, Signum, StatusCode, Timer,
};
use uv_handles_conformance_program::{
    Called, Declared, HandleOp, Kind, LoopOp, Mode, OnCalled, Op, Program, Side, Source, SourceOp, Start,
    What, fill,
};

/// The SDK as a side.
pub struct Sdk {
    loops: RefCell<Vec<Loop>>,
    /// The created handles, by number.
    handles: RefCell<HashMap<usize, AnyHandle>>,
    /// Our end of each socket pair, once it is open.
    descriptors: RefCell<HashMap<String, Descriptor>>,
    on_called: OnCalled,
    /// Does a step that is not the guest's.
    outside: fn(&Op) -> String,
    guards: usize,
}

impl Sdk {
    /// A side for the program, which has no guards yet. `outside` does the steps of the guest's surroundings.
    pub fn new(program: &Program, on_called: OnCalled, outside: fn(&Op) -> String) -> Sdk {
        Sdk {
            loops: RefCell::default(),
            handles: RefCell::default(),
            descriptors: RefCell::default(),
            on_called,
            outside,
            guards: program.handles.len(),
        }
    }

    fn event_loop(&self, at: usize) -> Loop {
        self.loops.borrow()[at].clone()
    }

    fn descriptor(&self, source: Source) -> Result<Descriptor> {
        let name = match source {
            Source::Pair(pair) => format!("pair{pair}"),
            Source::File => "file".into(),
        };
        let mut descriptors = self.descriptors.borrow_mut();
        if let Some(known) = descriptors.get(&name) {
            return Ok(known.clone());
        }
        let opened = Descriptor::open(&name)?;
        descriptors.insert(name, opened.clone());
        Ok(opened)
    }

    /// A callback that reports `what` and its arguments.
    fn reports(&self, handle: usize, what: What) -> impl Fn() + 'static {
        let on_called = self.on_called.clone();
        move || on_called(Called { handle, what: what.clone() })
    }

    fn make(&self, handle: usize, Declared { kind, owner, source }: Declared) -> Result<()> {
        let owner = &self.event_loop(owner);
        let guard = handle.checked_sub(self.guards);
        let made: AnyHandle = match (kind, guard) {
            (Kind::Timer, _) => Timer::new(owner)?.into(),
            (Kind::Idle, _) => Idle::new(owner)?.into(),
            (Kind::Prepare, _) => Prepare::new(owner)?.into(),
            (Kind::Check, _) => Check::new(owner)?.into(),
            (Kind::Async, None) => Async::new(owner)?.into(),
            // The host sends it when no other event can occur.
            (Kind::Async, Some(guard)) => Async::named(owner, &format!("guard{guard}"))?.into(),
            (Kind::Poll, _) => Poll::new(owner, &self.descriptor(source)?)?.into(),
            (Kind::Signal, _) => Signal::new(owner)?.into(),
        };
        self.handles.borrow_mut().insert(handle, made);
        self.set_callback(handle, 0);
        Ok(())
    }

    fn set_callback(&self, handle: usize, callback: u32) {
        let made = self.handles.borrow()[&handle].clone();
        let report = self.reports(handle, What::Callback(callback));
        let on_called = self.on_called.clone();
        match made {
            AnyHandle::Timer(timer) => timer.set_callback(move |_| report()),
            AnyHandle::Idle(idle) => idle.set_callback(move |_| report()),
            AnyHandle::Prepare(prepare) => prepare.set_callback(move |_| report()),
            AnyHandle::Check(check) => check.set_callback(move |_| report()),
            AnyHandle::Async(wake_up) => wake_up.set_callback(move |_| report()),
            AnyHandle::Poll(poll) => poll.set_callback(move |_, events| {
                let events = events.map(PollEvents::bits).map_err(|status| status.name().into());
                on_called(Called { handle, what: What::Poll(callback, events) });
            }),
            AnyHandle::Signal(signal) => signal.set_callback(move |_, signum| {
                on_called(Called { handle, what: What::Signal(callback, signum.number()) });
            }),
        }
    }

    /// Does a step, and replaces the callback if it succeeds and brings one.
    fn replacing(&self, handle: usize, with: Option<u32>, step: Result<()>) -> String {
        if let (Ok(()), Some(callback)) = (&step, with) {
            self.set_callback(handle, callback);
        }
        done(step)
    }

    fn handle_op(&self, handle: usize, op: &HandleOp) -> String {
        let made = self.handles.borrow()[&handle].clone();
        match op {
            HandleOp::Start { start, with } => self.replacing(handle, *with, start_handle(&made, *start)),
            HandleOp::Send { with } => match &made {
                AnyHandle::Async(wake_up) => self.replacing(handle, *with, wake_up.send()),
                _ => unreachable!("only async handles are sent"),
            },
            HandleOp::SetCallback(callback) => {
                self.set_callback(handle, *callback);
                done(Ok(()))
            }
            HandleOp::CloseWith => {
                let report = self.reports(handle, What::Closed);
                made.close_with(move |_| report());
                done(Ok(()))
            }
            HandleOp::Again | HandleOp::Repeat | HandleOp::SetRepeat(_) | HandleOp::DueIn => match &made {
                AnyHandle::Timer(timer) => timer_op(timer, op),
                _ => unreachable!("the interpreter asks timers"),
            },
            HandleOp::Signum => match &made {
                AnyHandle::Signal(signal) => number(signal.signum().map(|s| s.map_or(0, Signum::number))),
                _ => unreachable!("the interpreter asks signal handles"),
            },
            HandleOp::Stop => {
                match &made {
                    AnyHandle::Timer(timer) => timer.stop(),
                    AnyHandle::Idle(idle) => idle.stop(),
                    AnyHandle::Prepare(prepare) => prepare.stop(),
                    AnyHandle::Check(check) => check.stop(),
                    AnyHandle::Poll(poll) => poll.stop(),
                    AnyHandle::Signal(signal) => signal.stop(),
                    AnyHandle::Async(_) => {}
                }
                done(Ok(()))
            }
            HandleOp::Close => {
                made.close();
                done(Ok(()))
            }
            HandleOp::Active => made.is_active().to_string(),
            HandleOp::Closing => made.is_closing().to_string(),
            HandleOp::Closed => made.is_closed().to_string(),
            HandleOp::Referenced => made.is_referenced().to_string(),
            HandleOp::Reference => done(made.reference()),
            HandleOp::Dereference => done(made.dereference()),
            HandleOp::Fileno => match (made.fileno(), &made) {
                (Ok(number), AnyHandle::Poll(poll)) => {
                    let its_own = poll.descriptor().is_some_and(|descriptor| descriptor.fileno() == number);
                    if its_own { "its descriptor" } else { "another descriptor" }.into()
                }
                (Ok(number), _) => number.to_string(),
                (Err(error), _) => name(error),
            },
            HandleOp::Buffers => buffers(&made),
            HandleOp::Make => unreachable!("`perform` makes handles"),
        }
    }

    fn loop_op(&self, at: usize, op: LoopOp) -> String {
        let event_loop = self.event_loop(at);
        match op {
            LoopOp::Run(mode) => flag(event_loop.run(match mode {
                Mode::Default => RunMode::Default,
                Mode::Once => RunMode::Once,
                Mode::NoWait => RunMode::NoWait,
            })),
            LoopOp::Stop => {
                event_loop.stop();
                done(Ok(()))
            }
            LoopOp::UpdateTime => done(event_loop.update_time()),
            LoopOp::Now => number(event_loop.now()),
            LoopOp::Alive => event_loop.is_alive().to_string(),
            LoopOp::Timeout => match event_loop.poll_timeout() {
                Ok(Some(timeout)) => timeout.to_string(),
                Ok(None) => "none".into(),
                Err(error) => name(error),
            },
            LoopOp::Walk => {
                let handles = self.handles.borrow();
                let index =
                    |found: AnyHandle| handles.iter().find(|(_, made)| **made == found).map(|(at, _)| *at);
                let walked: Vec<usize> = event_loop.handles().into_iter().filter_map(index).collect();
                format!("{walked:?}")
            }
            LoopOp::Close => done(event_loop.close()),
            LoopOp::Closed => event_loop.is_closed().to_string(),
            LoopOp::Finish => unreachable!("the interpreter takes it apart"),
        }
    }
}

impl Side for Sdk {
    fn make_loop(&self) {
        self.loops.borrow_mut().push(Loop::new().expect("the limit is higher"));
    }

    fn perform(&self, op: &Op, program: &Program) -> String {
        match op {
            Op::Handle(handle, HandleOp::Make) => done(self.make(*handle, program.handles[*handle])),
            Op::Handle(handle, op) => self.handle_op(*handle, op),
            Op::Loop(at, op) => self.loop_op(*at, *op),
            Op::Source(pair, SourceOp::Read) => match self.descriptor(Source::Pair(*pair)) {
                Ok(descriptor) => number(descriptor.read_vec(65_536).map(|bytes| bytes.len())),
                Err(Error::Status(StatusCode::ENOSYS)) => (self.outside)(op),
                Err(_) => NO_PAIR.into(),
            },
            Op::Source(pair, SourceOp::Fill) => match self.descriptor(Source::Pair(*pair)) {
                Ok(descriptor) => number(fill(|bytes| descriptor.write(bytes))),
                Err(Error::Status(StatusCode::ENOSYS)) => (self.outside)(op),
                Err(_) => NO_PAIR.into(),
            },
            Op::Source(..) | Op::Raise(_) | Op::Burn(_) => (self.outside)(op),
        }
    }
}

const NO_PAIR: &str = "no such pair";

fn start_handle(made: &AnyHandle, start: Start) -> Result<()> {
    match (made, start) {
        (AnyHandle::Timer(timer), Start::Timer { timeout, repeat }) => timer.start(timeout, repeat),
        (AnyHandle::Idle(idle), Start::Watcher) => idle.start(),
        (AnyHandle::Prepare(prepare), Start::Watcher) => prepare.start(),
        (AnyHandle::Check(check), Start::Watcher) => check.start(),
        (AnyHandle::Poll(poll), Start::Poll { events }) => poll.start(poll_events(events)),
        (AnyHandle::Signal(signal), Start::Signal { signum, oneshot }) => match oneshot {
            true => signal.start_oneshot(Signum::new(signum)),
            false => signal.start(Signum::new(signum)),
        },
        _ => unreachable!("the interpreter starts what fits"),
    }
}

fn poll_events(bits: u8) -> PollEvents {
    let all = [PollEvents::READABLE, PollEvents::WRITABLE, PollEvents::DISCONNECT, PollEvents::PRIORITIZED];
    let asked = all.into_iter().filter(|event| bits & event.bits() != 0);
    asked.fold(PollEvents::default(), |events, event| events | event)
}

fn timer_op(timer: &Timer, op: &HandleOp) -> String {
    match op {
        HandleOp::Again => done(timer.again()),
        HandleOp::Repeat => number(timer.repeat()),
        HandleOp::SetRepeat(repeat) => done(timer.set_repeat(*repeat)),
        _ => number(timer.due_in()),
    }
}

/// All four members; they agree.
fn buffers(made: &AnyHandle) -> String {
    let answers = [
        number(made.send_buffer_size()),
        number(made.receive_buffer_size()),
        done(made.set_send_buffer_size(4096)),
        done(made.set_receive_buffer_size(4096)),
    ];
    let [first, others @ ..] = &answers;
    match others.iter().all(|other| other == first) {
        true => first.clone(),
        false => format!("{answers:?}"),
    }
}

fn done(result: Result<()>) -> String {
    result.map_or_else(name, |()| "ok".into())
}

fn flag(result: Result<bool>) -> String {
    result.map_or_else(name, |flag| flag.to_string())
}

fn number<T: ToString>(result: Result<T>) -> String {
    result.map_or_else(name, |number| number.to_string())
}

fn name(error: Error) -> String {
    match error {
        Error::HandleClosed => "handle-closed".into(),
        Error::LoopClosed => "loop-closed".into(),
        other => match other.code() {
            Some(status) => status.name().into(),
            None => panic!("the programs do not know this error: {other}"),
        },
    }
}
