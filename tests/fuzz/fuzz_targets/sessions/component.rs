//! A component: its resources, its calls, and the trace of their answers.

use crate::resources::{self, Kind, Start, any, borrow, pick, poll_events, run_mode};
use arbitrary::Arbitrary;
use std::fmt::Debug;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use uv_handles_host::UvCtxView;
use uv_handles_host::bindings::uv::handles::batch::{
    Change, Host as Batch, HostTimerPool, OpenAndStartTimer, OpenTimer, Operation, StartTimer,
};
use uv_handles_host::bindings::uv::handles::descriptors::HostDescriptor;
use uv_handles_host::bindings::uv::handles::event_loop::{HostLoop, HostRun};
use uv_handles_host::bindings::uv::handles::handle;
use uv_handles_host::bindings::uv::handles::poll::HostPoll;
use uv_handles_host::bindings::uv::handles::timer::HostTimer;
use wasmtime::component::Resource;

/// One call. A number that stands for a resource is taken modulo how many the component has.
#[derive(Debug, Arbitrary)]
pub enum Call {
    CreateLoop,
    Loop(u8, LoopCall),
    Run(u8, RunCall),
    Make(u8, Make),
    Handle(u8, HandleCall),
    Pool(u8, PoolCall),
    Descriptor(DescriptorCall),
}

#[derive(Debug, Arbitrary)]
pub enum LoopCall {
    Begin(u8),
    Stop,
    Close,
    UpdateTime,
    Drop,
}

#[derive(Debug, Arbitrary)]
pub enum RunCall {
    Next,
    /// By the run's key.
    BatchNext {
        max: u8,
        position: Option<u8>,
        pool: Option<u8>,
        changes: Vec<(u8, Timer, Operate)>,
    },
    NextCallbacks,
    Advance {
        position: u8,
        pool: Option<u8>,
        changes: Vec<(u8, Timer, Operate)>,
    },
    /// A key that the component has made up.
    Guess(u64),
    Drop,
}

#[derive(Debug, Arbitrary)]
pub enum Make {
    Timer,
    Idle,
    Prepare,
    Check,
    Async,
    Poll,
}

#[derive(Debug, Arbitrary)]
pub enum HandleCall {
    /// The events, for a poll handle.
    Start(u8),
    Stop,
    Close,
    Reference,
    Dereference,
    Again,
    Drop,
}

#[derive(Debug, Arbitrary)]
pub enum PoolCall {
    Create,
    Allocate { event_loop: u8, count: u8 },
    Flush(Vec<(u8, Timer, Operate)>),
    Drop,
}

#[derive(Debug, Arbitrary)]
pub enum DescriptorCall {
    Open,
    Read(u8),
    Write(u8),
    /// The far end writes.
    PeerWrites,
    /// The far end reads.
    PeerReads,
    Drop,
}

/// The timer that a change names.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Timer {
    Own(u8),
    /// A number that the component has made up. It is not the number of a timer of its own.
    Guess(u8),
}

#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Operate {
    Open,
    OpenAndStart,
    Start,
    Stop,
    Close,
    CloseOwn,
}

struct Handle {
    rep: u32,
    kind: Kind,
    /// It was allocated from a pool, so that its representation is its number in changes.
    is_pooled: bool,
}

struct Run {
    rep: u32,
    /// The key, once the component has asked for it.
    key: Option<u64>,
}

pub struct Component {
    /// The name of the descriptor that was granted to it.
    name: &'static str,
    loops: Vec<u32>,
    runs: Vec<Run>,
    handles: Vec<Handle>,
    pools: Vec<u32>,
    descriptor: Option<u32>,
    tokens: u64,
    pub trace: Vec<String>,
}

/// More handles of one component would only make an input slow, and both together must stay below
/// the limits, which they share.
const MOST: usize = 200;
const MOST_LOOPS: usize = 16;

impl Component {
    pub fn new(name: &'static str) -> Component {
        Component {
            name,
            loops: Vec::new(),
            runs: Vec::new(),
            handles: Vec::new(),
            pools: Vec::new(),
            descriptor: None,
            tokens: 0,
            trace: Vec::new(),
        }
    }

    fn note(&mut self, answer: impl Debug) {
        self.trace.push(format!("{answer:?}"));
    }

    fn new_token(&mut self) -> u64 {
        self.tokens += 1;
        self.tokens
    }

    pub fn make(&mut self, host: &mut UvCtxView<'_>, peer: &UnixStream, call: &Call) {
        match call {
            Call::CreateLoop if self.loops.len() < MOST_LOOPS => {
                let made = HostLoop::create(host).map(|made| made.rep());
                self.note(made.as_ref().map(drop));
                self.loops.extend(made.ok());
            }
            Call::CreateLoop => {}
            Call::Loop(at, call) => self.of_loop(host, *at, call),
            Call::Run(at, call) => self.of_run(host, *at, call),
            Call::Make(at, make) => self.make_handle(host, *at, make),
            Call::Handle(at, call) => self.of_handle(host, *at, call),
            Call::Pool(at, call) => self.of_pool(host, *at, call),
            Call::Descriptor(call) => self.of_descriptor(host, peer, call),
        }
        self.query(host);
    }

    /// The answers of all queries. Times are among them, because the clock stands still.
    fn query(&mut self, host: &mut UvCtxView<'_>) {
        for id in self.loops.clone() {
            let answers = (
                HostLoop::closed(host, borrow(id)),
                HostLoop::alive(host, borrow(id)),
                HostLoop::now(host, borrow(id)),
                HostLoop::poll_timeout(host, borrow(id)),
                HostLoop::handles(host, borrow(id)),
            );
            self.note(answers);
        }
        let mut answers = Vec::new();
        for &Handle { rep, kind, .. } in &self.handles {
            answers.push((
                handle::Host::active(host, any(kind, rep)),
                handle::Host::closing(host, any(kind, rep)),
                handle::Host::closed(host, any(kind, rep)),
                handle::Host::referenced(host, any(kind, rep)),
                (kind == Kind::Timer).then(|| HostTimer::due_in(host, borrow(rep))),
            ));
        }
        self.note(answers);
    }

    fn of_loop(&mut self, host: &mut UvCtxView<'_>, at: u8, call: &LoopCall) {
        let Some((at, id)) = pick(&self.loops, at) else { return };
        match call {
            LoopCall::Begin(_) if self.runs.len() == MOST_LOOPS => {}
            LoopCall::Begin(mode) => {
                let begun = HostLoop::begin(host, borrow(id), run_mode(*mode)).map(|begun| begun.rep());
                self.note(begun.as_ref().map(drop));
                self.runs.extend(begun.ok().map(|rep| Run { rep, key: None }));
            }
            LoopCall::Stop => HostLoop::stop(host, borrow(id)),
            LoopCall::Close => self.note(HostLoop::close(host, borrow(id))),
            LoopCall::UpdateTime => self.note(HostLoop::update_time(host, borrow(id))),
            LoopCall::Drop => {
                self.loops.remove(at);
                HostLoop::drop(host, Resource::new_own(id)).expect("a drop is not refused");
            }
        }
    }

    fn of_run(&mut self, host: &mut UvCtxView<'_>, at: u8, call: &RunCall) {
        let Some(at) = (at as usize).checked_rem(self.runs.len()) else { return };
        let Run { rep, key } = &mut self.runs[at];
        let rep = *rep;
        let key = *key.get_or_insert_with(|| Batch::key(host, borrow(rep)));
        match call {
            RunCall::Next => {
                let next = HostRun::next(host, borrow(rep)).expect("it is not interrupted");
                self.note(next);
            }
            RunCall::BatchNext { max, position, pool, changes } => {
                let changes = self.changes(changes);
                let (max, position) = ((*max).into(), position.map(u32::from));
                let pool = self.pool(*pool).map(borrow);
                let next = Batch::next(host, key, max, position, pool, changes);
                self.note(next.expect("it is not interrupted"));
            }
            RunCall::NextCallbacks => {
                let next = Batch::next_callbacks(host, key);
                self.note(next.expect("it is not interrupted"));
            }
            RunCall::Advance { position, pool, changes } => {
                let changes = self.changes(changes);
                Batch::advance(host, key, (*position).into(), self.pool(*pool).map(borrow), changes);
            }
            RunCall::Guess(key) => {
                Batch::advance(host, *key, 0, None, Vec::new());
                let next =
                    (Batch::next_callbacks(host, *key), Batch::next(host, *key, 9, None, None, Vec::new()));
                self.note((next.0.expect("it is not interrupted"), next.1.expect("it is not interrupted")));
            }
            RunCall::Drop => {
                self.runs.remove(at);
                HostRun::drop(host, Resource::new_own(rep)).expect("a drop is not refused");
            }
        }
    }

    fn pool(&self, at: Option<u8>) -> Option<u32> {
        at.and_then(|at| pick(&self.pools, at)).map(|(_, pool)| pool)
    }

    /// A command buffer.
    fn changes(&mut self, changes: &[(u8, Timer, Operate)]) -> Vec<Change> {
        let pooled = self.handles.iter().filter(|handle| handle.is_pooled);
        let own: Vec<u32> = pooled.map(|handle| handle.rep).collect();
        let changes = changes.iter().filter_map(|&(position, timer, operate)| {
            // A token is taken for each change, sent or not: tokens are in the trace, and whether a guessed
            // number is a timer of the component's own depends on the other component.
            let token = self.new_token();
            let timer = match timer {
                Timer::Own(at) => pick(&own, at)?.1,
                Timer::Guess(number) => Some(u32::from(number)).filter(|number| !own.contains(number))?,
            };
            let operation = match operate {
                Operate::Open => Operation::Open(OpenTimer { timer, token }),
                Operate::OpenAndStart => {
                    Operation::OpenAndStart(OpenAndStartTimer { timer, token, timeout: 0, repeat: 0 })
                }
                Operate::Start => Operation::Start(StartTimer { timer, timeout: 0, repeat: 0 }),
                Operate::Stop => Operation::Stop(timer),
                Operate::Close => Operation::Close(timer),
                Operate::CloseOwn => Operation::CloseOwn,
            };
            Some(Change { position: position.into(), operation })
        });
        changes.collect()
    }

    fn make_handle(&mut self, host: &mut UvCtxView<'_>, at: u8, make: &Make) {
        let Some((_, id)) = pick(&self.loops, at) else { return };
        if self.handles.len() >= MOST {
            return;
        }
        let kind = match make {
            Make::Timer => Kind::Timer,
            Make::Idle => Kind::Idle,
            Make::Prepare => Kind::Prepare,
            Make::Check => Kind::Check,
            Make::Async => Kind::Async,
            Make::Poll => Kind::Poll,
        };
        let token = self.new_token();
        let made = match (kind, self.descriptor) {
            (Kind::Poll, None) => return,
            (Kind::Poll, Some(descriptor)) => {
                HostPoll::create(host, borrow(id), token, borrow(descriptor)).map(|made| made.rep())
            }
            _ => resources::create(host, kind, id, token),
        };
        self.note(made.as_ref().map(drop));
        self.handles.extend(made.ok().map(|rep| Handle { rep, kind, is_pooled: false }));
    }

    fn of_handle(&mut self, host: &mut UvCtxView<'_>, at: u8, call: &HandleCall) {
        let Some(at) = (at as usize).checked_rem(self.handles.len()) else { return };
        let Handle { rep, kind, .. } = self.handles[at];
        match call {
            HandleCall::Start(events) => {
                let start = Start { timeout: 0, repeat: 0, events: poll_events(*events), signum: 0 };
                self.note(resources::start(host, kind, rep, start));
            }
            HandleCall::Stop => resources::stop(host, kind, rep),
            HandleCall::Close => handle::Host::close(host, any(kind, rep)),
            HandleCall::Reference => self.note(handle::Host::reference(host, any(kind, rep))),
            HandleCall::Dereference => self.note(handle::Host::dereference(host, any(kind, rep))),
            HandleCall::Again if kind == Kind::Timer => self.note(HostTimer::again(host, borrow(rep))),
            HandleCall::Again => {}
            HandleCall::Drop => {
                self.handles.remove(at);
                resources::drop_handle(host, kind, rep);
            }
        }
    }

    fn of_pool(&mut self, host: &mut UvCtxView<'_>, at: u8, call: &PoolCall) {
        if let PoolCall::Create = call {
            if self.pools.len() < MOST_LOOPS {
                let made = HostTimerPool::create(host).map(|made| made.rep());
                self.note(made.as_ref().map(drop));
                self.pools.extend(made.ok());
            }
            return;
        }
        let Some((at, pool)) = pick(&self.pools, at) else { return };
        match call {
            PoolCall::Create => {}
            PoolCall::Allocate { event_loop, count } => {
                let Some((_, id)) = pick(&self.loops, *event_loop) else { return };
                if self.handles.len() >= MOST {
                    return;
                }
                let made = HostTimerPool::allocate(host, borrow(pool), borrow(id), u32::from(count % 16));
                let made =
                    made.map(|timers| timers.into_iter().map(|(_, number)| number).collect::<Vec<_>>());
                self.note(made.as_ref().map(Vec::len));
                let handle = |rep| Handle { rep, kind: Kind::Timer, is_pooled: true };
                self.handles.extend(made.unwrap_or_default().into_iter().map(handle));
            }
            PoolCall::Flush(changes) => {
                let changes = self.changes(changes);
                HostTimerPool::flush(host, borrow(pool), changes);
            }
            PoolCall::Drop => {
                self.pools.remove(at);
                HostTimerPool::drop(host, Resource::new_own(pool)).expect("a drop is not refused");
            }
        }
    }

    fn of_descriptor(&mut self, host: &mut UvCtxView<'_>, mut peer: &UnixStream, call: &DescriptorCall) {
        match (call, self.descriptor) {
            (DescriptorCall::Open, _) => {
                let opened = HostDescriptor::open(host, self.name.to_owned()).map(|opened| opened.rep());
                self.note(opened.as_ref().map(drop));
                self.descriptor = opened.ok().or(self.descriptor);
            }
            (DescriptorCall::Read(max), Some(descriptor)) => {
                self.note(HostDescriptor::read(host, borrow(descriptor), (*max).into()));
            }
            (DescriptorCall::Write(length), Some(descriptor)) => {
                let bytes = vec![1; (*length).into()];
                self.note(HostDescriptor::write(host, borrow(descriptor), bytes));
            }
            (DescriptorCall::PeerWrites, _) => self.note(peer.write(b"hello").ok()),
            (DescriptorCall::PeerReads, _) => self.note(peer.read(&mut [0; 1024]).ok()),
            (DescriptorCall::Drop, Some(descriptor)) => {
                self.descriptor = None;
                HostDescriptor::drop(host, Resource::new_own(descriptor)).expect("a drop is not refused");
            }
            (_, None) => {}
        }
    }
}
