//! The parts of a handle program.
//!
//! A program is a tree: the steps of `main`, and for each callback the steps that it performs when
//! it runs for the n-th time. Handles are declared with their constant properties (kind, loop,
//! source), and a step creates them.

use std::collections::BTreeMap;
use std::fmt;

/// A program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// The number of loops.
    pub loops: usize,
    /// Whether guards end a run that would not end. If it is set, a guard is a timer on each loop,
    /// so the steps may use any timeout. Otherwise it is an async handle on each loop, which is
    /// sent when no other event can occur.
    pub guarded: bool,
    /// The handles that steps may make.
    pub handles: Vec<Declared>,
    /// The steps outside of callbacks.
    pub main: Vec<Op>,
    /// The steps of callbacks.
    pub bodies: BTreeMap<Place, Vec<Op>>,
}

/// The declaration of a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// Its kind.
    pub kind: Kind,
    /// The number of its loop.
    pub owner: usize,
    /// The source that a poll handle polls; for other kinds the first pair, which means nothing.
    pub source: Source,
}

/// A kind of handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the kinds of libuv")]
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
    /// All of them.
    pub const ALL: [Kind; 7] =
        [Kind::Timer, Kind::Idle, Kind::Prepare, Kind::Check, Kind::Async, Kind::Poll, Kind::Signal];

    /// Its name in scripts.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Timer => "timer",
            Kind::Idle => "idle",
            Kind::Prepare => "prepare",
            Kind::Check => "check",
            Kind::Async => "async",
            Kind::Poll => "poll",
            Kind::Signal => "signal",
        }
    }
}

/// The source of a poll handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// One end of the socket pair of this number. The other end is the peer.
    Pair(usize),
    /// A descriptor that the OS cannot poll.
    File,
}

/// The place of steps: in the n-th run of a handle's callback or close callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The number of the handle.
    pub handle: usize,
    /// In its close callback.
    pub closed: bool,
    /// From 1 on.
    pub nth: u32,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// A step on a handle.
    Handle(usize, HandleOp),
    /// A step on a loop.
    Loop(usize, LoopOp),
    /// A step on a socket pair.
    Source(usize, SourceOp),
    /// Raises a signal in the process.
    Raise(i32),
    /// Lets milliseconds pass.
    Burn(u64),
}

/// A step on a handle. A number `with` is the callback's: each step that sets one has its own, so
/// that a trace shows which was called.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the operations of libuv")]
pub enum HandleOp {
    Make,
    Start { start: Start, with: Option<u32> },
    Stop,
    Again,
    Repeat,
    SetRepeat(u64),
    DueIn,
    Signum,
    Send { with: Option<u32> },
    SetCallback(u32),
    Close,
    CloseWith,
    Active,
    Closing,
    Closed,
    Referenced,
    Reference,
    Dereference,
    Fileno,
    Buffers,
}

/// The arguments of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the arguments of libuv")]
pub enum Start {
    Timer { timeout: u64, repeat: u64 },
    Watcher,
    Poll { events: u8 },
    Signal { signum: i32, oneshot: bool },
}

impl Start {
    /// Whether a handle of this kind can be started with these arguments.
    pub fn fits(self, kind: Kind) -> bool {
        match self {
            Start::Timer { .. } => kind == Kind::Timer,
            Start::Watcher => matches!(kind, Kind::Idle | Kind::Prepare | Kind::Check),
            Start::Poll { .. } => kind == Kind::Poll,
            Start::Signal { .. } => kind == Kind::Signal,
        }
    }
}

impl HandleOp {
    /// One of each.
    pub const ALL: [HandleOp; 24] = [
        HandleOp::Make,
        HandleOp::Start { start: Start::Timer { timeout: 0, repeat: 0 }, with: None },
        HandleOp::Start { start: Start::Watcher, with: None },
        HandleOp::Start { start: Start::Poll { events: 0 }, with: None },
        HandleOp::Start { start: Start::Signal { signum: 0, oneshot: false }, with: None },
        HandleOp::Start { start: Start::Signal { signum: 0, oneshot: true }, with: None },
        HandleOp::Stop,
        HandleOp::Again,
        HandleOp::Repeat,
        HandleOp::SetRepeat(0),
        HandleOp::DueIn,
        HandleOp::Signum,
        HandleOp::Send { with: None },
        HandleOp::SetCallback(0),
        HandleOp::Close,
        HandleOp::CloseWith,
        HandleOp::Active,
        HandleOp::Closing,
        HandleOp::Closed,
        HandleOp::Referenced,
        HandleOp::Reference,
        HandleOp::Dereference,
        HandleOp::Fileno,
        HandleOp::Buffers,
    ];

    /// Whether handles of this kind have the operation.
    pub fn fits(&self, kind: Kind) -> bool {
        match self {
            HandleOp::Start { start, .. } => start.fits(kind),
            HandleOp::Again | HandleOp::Repeat | HandleOp::SetRepeat(_) | HandleOp::DueIn => {
                kind == Kind::Timer
            }
            HandleOp::Signum => kind == Kind::Signal,
            HandleOp::Send { .. } => kind == Kind::Async,
            HandleOp::Stop => kind != Kind::Async,
            _ => true,
        }
    }

    /// Its name in scripts, and in the count of what occurred.
    pub fn name(&self) -> &'static str {
        match self {
            HandleOp::Make => "make",
            HandleOp::Start { start: Start::Signal { oneshot: true, .. }, .. } => "start-oneshot",
            HandleOp::Start { .. } => "start",
            HandleOp::Stop => "stop",
            HandleOp::Again => "again",
            HandleOp::Repeat => "repeat",
            HandleOp::SetRepeat(_) => "set-repeat",
            HandleOp::DueIn => "due-in",
            HandleOp::Signum => "signum",
            HandleOp::Send { .. } => "send",
            HandleOp::SetCallback(_) => "set-callback",
            HandleOp::Close => "close",
            HandleOp::CloseWith => "close-with",
            HandleOp::Active => "active",
            HandleOp::Closing => "closing",
            HandleOp::Closed => "closed",
            HandleOp::Referenced => "referenced",
            HandleOp::Reference => "reference",
            HandleOp::Dereference => "dereference",
            HandleOp::Fileno => "fileno",
            HandleOp::Buffers => "buffers",
        }
    }
}

/// A step on a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the operations of libuv")]
pub enum LoopOp {
    Run(Mode),
    Stop,
    UpdateTime,
    Now,
    Alive,
    Timeout,
    Walk,
    Close,
    Closed,
    /// Closes all handles of the loop, runs it until they are, and closes it: for loops that do not
    /// run.
    Finish,
}

impl LoopOp {
    /// Its name in scripts, and in the count of what occurred.
    pub fn name(self) -> &'static str {
        match self {
            LoopOp::Run(Mode::Default) => "run-default",
            LoopOp::Run(Mode::Once) => "run-once",
            LoopOp::Run(Mode::NoWait) => "run-nowait",
            LoopOp::Stop => "stop",
            LoopOp::UpdateTime => "update-time",
            LoopOp::Now => "now",
            LoopOp::Alive => "alive",
            LoopOp::Timeout => "timeout",
            LoopOp::Walk => "walk",
            LoopOp::Close => "close",
            LoopOp::Closed => "closed",
            LoopOp::Finish => "finish",
        }
    }

    /// All of them.
    pub const ALL: [LoopOp; 12] = [
        LoopOp::Run(Mode::Default),
        LoopOp::Run(Mode::Once),
        LoopOp::Run(Mode::NoWait),
        LoopOp::Stop,
        LoopOp::UpdateTime,
        LoopOp::Now,
        LoopOp::Alive,
        LoopOp::Timeout,
        LoopOp::Walk,
        LoopOp::Close,
        LoopOp::Closed,
        LoopOp::Finish,
    ];
}

/// The mode of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the modes of libuv")]
pub enum Mode {
    Default,
    Once,
    NoWait,
}

/// A step on a socket pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceOp {
    /// The peer writes this many bytes.
    PeerWrite(u32),
    /// The peer reads all available bytes.
    PeerRead,
    /// The peer shuts down its writing side.
    PeerShutdown,
    /// The peer closes with unread data, which resets the connection.
    PeerReset,
    /// Our end reads all available bytes.
    Read,
    /// Our end writes until there is no room.
    Fill,
}

impl SourceOp {
    /// Its name in scripts, and in the count of what occurred.
    pub fn name(self) -> &'static str {
        match self {
            SourceOp::PeerWrite(_) => "peer-write",
            SourceOp::PeerRead => "peer-read",
            SourceOp::PeerShutdown => "peer-shutdown",
            SourceOp::PeerReset => "peer-reset",
            SourceOp::Read => "read",
            SourceOp::Fill => "fill",
        }
    }

    /// All of them.
    pub const ALL: [SourceOp; 6] = [
        SourceOp::PeerWrite(1),
        SourceOp::PeerRead,
        SourceOp::PeerShutdown,
        SourceOp::PeerReset,
        SourceOp::Read,
        SourceOp::Fill,
    ];
}

/// Carries out [`SourceOp::Fill`]: writes pieces of the same size until there is no room, and
/// returns the number of bytes.
///
/// # Errors
///
/// The error of the first write.
pub fn fill<E>(mut send: impl FnMut(&[u8]) -> Result<usize, E>) -> Result<usize, E> {
    let mut sent = 0;
    loop {
        match send(&[1; 512]) {
            Ok(bytes) => sent += bytes,
            Err(error) if sent == 0 => return Err(error),
            Err(_) => return Ok(sent),
        }
    }
}

/// The names of poll events, by their bits: 1 readable, 2 writable, 4 disconnect, 8 prioritized.
pub fn poll_events(events: u8) -> String {
    let names = ["readable", "writable", "disconnect", "prioritized"];
    let set: Vec<&str> = (0..4).filter(|bit| events & (1 << bit) != 0).map(|bit| names[bit]).collect();
    if set.is_empty() { "none".into() } else { set.join("|") }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
