//! Runs a program on one side, and writes down its callbacks and answers: the trace.
//!
//! A trace has one line for each callback, with its arguments, and one for each step, with its
//! answer. Two sides that behave alike have the same trace.

use crate::program::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::{Rc, Weak};

/// A side, which does single steps: native libuv, the core, or a guest's SDK.
pub trait Side {
    /// Makes a loop, with the next number. Called once for each of the program's loops at the
    /// start.
    fn make_loop(&self);

    /// Does a step and returns its answer: "ok", a number, or the name of an error. An answer that
    /// this side cannot know is "?". In `program`, a guard for each loop follows the handles.
    ///
    /// A handle has the callback 0 when it is made. A run reports each callback, while it runs, to
    /// the [`OnCalled`] that the side was made with.
    fn perform(&self, op: &Op, program: &Program) -> String;
}

/// How a side reports a callback.
pub type OnCalled = Rc<dyn Fn(Called)>;

/// A callback that is being called.
#[derive(Debug, Clone)]
pub struct Called {
    /// The number of the handle.
    pub handle: usize,
    /// The callback and its arguments.
    pub what: What,
}

/// A callback, by its kind, and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The callback of this number, of a timer, idle, prepare, check or async handle.
    Callback(u32),
    /// That of a poll handle, with its events or the name of the error.
    Poll(u32, Result<u8, String>),
    /// That of a signal handle, with the signal.
    Signal(u32, i32),
    /// The close callback.
    Closed,
}

/// The context of a step: outside of callbacks, in one of a kind, in a close callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "as above")]
pub enum Context {
    Main,
    Callback(Kind),
    Closed,
}

/// The number of times that each step was done: context, subject (a kind of handle, "loop", "pair",
/// "process") and operation.
pub type Count = BTreeMap<(Context, &'static str, &'static str), u64>;

/// The result of a program's run.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// One line for each callback and each step.
    pub trace: Vec<String>,
    /// The steps that were done.
    pub count: Count,
}

/// The number of callbacks after which a program ends, whatever its handles do.
const CALLBACKS: u32 = 80;

/// The time at which the guard of a loop ends its run. Longer than any wait of a program that an
/// event ends, shorter than one that no event ends.
const GUARD: u64 = 100_000;

/// Runs a program on the side that `side` makes.
pub fn interpret<S: Side + 'static>(program: &Program, side: impl FnOnce(OnCalled) -> S) -> Outcome {
    let interpreter = Rc::new_cyclic(|weak: &Weak<Interpreter<S>>| {
        let weak = weak.clone();
        let on_called = Rc::new(move |called| {
            if let Some(interpreter) = weak.upgrade() {
                interpreter.called(&called);
            }
        });
        let mut program = program.clone();
        let guards = program.handles.len();
        let kind = if program.guarded { Kind::Timer } else { Kind::Async };
        program.handles.extend((0..program.loops).map(|owner| Declared {
            kind,
            owner,
            source: Source::File,
        }));
        let state = RefCell::new(State::new(&program));
        Interpreter { program, guards, side: side(on_called), state }
    });
    interpreter.run();
    interpreter.state.take().outcome
}

struct Interpreter<S> {
    program: Program,
    /// The index of the loops' first guard, after the program's own handles.
    guards: usize,
    side: S,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    outcome: Outcome,
    made: Vec<bool>,
    /// The number of runs of each callback.
    runs: HashMap<(usize, bool), u32>,
    callbacks: u32,
    contexts: Vec<Context>,
    running: Vec<usize>,
    finishing: Option<usize>,
    finished: Vec<bool>,
}

impl State {
    fn new(program: &Program) -> State {
        State {
            made: vec![false; program.handles.len()],
            finished: vec![false; program.loops],
            ..State::default()
        }
    }

    fn exhausted(&self) -> bool {
        self.callbacks > CALLBACKS
    }
}

impl<S: Side> Interpreter<S> {
    fn run(&self) {
        for owner in 0..self.program.loops {
            self.side.make_loop();
            let guard = self.guards + owner;
            self.handle(guard, HandleOp::Make);
            self.handle(guard, HandleOp::Dereference);
            self.state.borrow_mut().made[guard] = true;
        }
        self.steps(Context::Main, &self.program.main);
        for owner in 0..self.program.loops {
            self.step(&Op::Loop(owner, LoopOp::Finish));
        }
    }

    fn steps(&self, context: Context, ops: &[Op]) {
        self.state.borrow_mut().contexts.push(context);
        for op in ops {
            if !self.state.borrow().exhausted() {
                self.step(op);
            }
        }
        self.state.borrow_mut().contexts.pop();
    }

    fn called(&self, Called { handle, what }: &Called) {
        let handle = *handle;
        let closed = *what == What::Closed;
        let Declared { kind, owner, .. } = self.program.handles[handle];
        if handle >= self.guards {
            self.trace(format!("> guard of loop{owner} {what:?}"));
            if !closed {
                self.stop(owner);
            }
            return;
        }
        let mut state = self.state.borrow_mut();
        let nth = state.runs.entry((handle, closed)).or_default();
        *nth += 1;
        let place = Place { handle, closed, nth: *nth };
        state.callbacks += 1;
        let (exhausted, finishing) = (state.exhausted(), state.finishing == Some(owner));
        drop(state);
        let arguments = match what {
            What::Callback(callback) => format!("callback {callback}"),
            What::Poll(callback, Ok(events)) => format!("callback {callback}: {}", poll_events(*events)),
            What::Poll(callback, Err(error)) => format!("callback {callback}: {error}"),
            What::Signal(callback, signum) => format!("callback {callback}: {signum}"),
            What::Closed => "closed".into(),
        };
        self.trace(format!("> h{handle} {kind} {arguments}"));
        if exhausted && !finishing {
            self.stop(owner);
        } else if !finishing && let Some(ops) = self.program.bodies.get(&place) {
            self.steps(if closed { Context::Closed } else { Context::Callback(kind) }, ops);
        }
        self.trace(format!("< h{handle}"));
    }

    fn stop(&self, owner: usize) {
        self.side.perform(&Op::Loop(owner, LoopOp::Stop), &self.program);
    }

    /// An operation on a handle that is no step of the program.
    fn handle(&self, handle: usize, op: HandleOp) -> String {
        self.side.perform(&Op::Handle(handle, op), &self.program)
    }

    fn step(&self, op: &Op) {
        match op {
            Op::Handle(handle, HandleOp::Make) => {
                if self.state.borrow().made[*handle] {
                    return;
                }
                let answer = self.answer(op);
                self.state.borrow_mut().made[*handle] = answer == "ok";
            }
            Op::Handle(handle, step) => {
                if self.state.borrow().made[*handle] && step.fits(self.program.handles[*handle].kind) {
                    self.answer(op);
                }
            }
            Op::Loop(owner, LoopOp::Run(_)) => self.run_loop(*owner, op),
            Op::Loop(owner, LoopOp::Finish) => self.finish(*owner, op),
            _ => {
                self.answer(op);
            }
        }
    }

    fn run_loop(&self, owner: usize, op: &Op) {
        let again = self.state.borrow().running.contains(&owner);
        if self.program.guarded && !again {
            let start = Start::Timer { timeout: GUARD, repeat: 0 };
            self.handle(self.guards + owner, HandleOp::Start { start, with: None });
        }
        self.state.borrow_mut().running.push(owner);
        self.answer(op);
        self.state.borrow_mut().running.pop();
    }

    fn finish(&self, owner: usize, op: &Op) {
        let mut state = self.state.borrow_mut();
        if state.running.contains(&owner) || state.finished[owner] || state.finishing.is_some() {
            return;
        }
        state.finishing = Some(owner);
        state.finished[owner] = true;
        let handles = self.program.handles.iter().enumerate().filter(|(_, declared)| declared.owner == owner);
        let closing = handles.map(|(handle, _)| handle).filter(|&handle| state.made[handle]);
        let closing: Vec<usize> = closing.collect();
        drop(state);
        self.note(op);
        for handle in closing {
            self.handle(handle, HandleOp::CloseWith);
        }
        self.state.borrow_mut().running.push(owner);
        // A loop that was stopped beforehand does not run at once.
        let run = Op::Loop(owner, LoopOp::Run(Mode::Default));
        let alive = (0..2).map(|_| self.side.perform(&run, &self.program)).last().unwrap_or_default();
        self.state.borrow_mut().running.pop();
        let close = self.side.perform(&Op::Loop(owner, LoopOp::Close), &self.program);
        self.trace(format!("{op} -> alive {alive}, close {close}"));
        self.state.borrow_mut().finishing = None;
    }

    fn answer(&self, op: &Op) -> String {
        self.note(op);
        let answer = self.side.perform(op, &self.program);
        self.trace(format!("{op} -> {answer}"));
        answer
    }

    fn note(&self, op: &Op) {
        let mut state = self.state.borrow_mut();
        let Some(&context) = state.contexts.last() else {
            return;
        };
        let (subject, operation) = match op {
            Op::Handle(handle, op) => (self.program.handles[*handle].kind.name(), op.name()),
            Op::Loop(_, op) => ("loop", op.name()),
            Op::Source(_, op) => ("pair", op.name()),
            Op::Raise(_) => ("process", "raise"),
            Op::Burn(_) => ("process", "burn"),
        };
        *state.outcome.count.entry((context, subject, operation)).or_default() += 1;
    }

    fn trace(&self, line: String) {
        let mut state = self.state.borrow_mut();
        let depth = state.contexts.len();
        state.outcome.trace.push(format!("{:1$}{line}", "", 2 * depth));
    }
}
