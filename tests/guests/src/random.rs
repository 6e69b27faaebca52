//! The state of the guest of random calls, and the values that it passes.

pub mod calls;

use std::collections::{BTreeMap, HashMap};
use uv::async_handle::AsyncHandle;
use uv::async_sender::AsyncSender;
use uv::batch::TimerPool;
use uv::check::Check;
use uv::descriptors::Descriptor;
use uv::event_loop::{Loop, Run};
use uv::handle::{self, AnyHandle};
use uv::idle::Idle;
use uv::poll::Poll;
use uv::prepare::Prepare;
use uv::signal::Signal;
use uv::timer::Timer;
use uv::types::{Error, Event, EventKind};
use uv_handles::bindings::uv::handles as uv;

/// A handle of any kind that the guest holds. Dropping it drops the resource.
#[derive(Debug)]
#[expect(missing_docs, reason = "the kinds")]
pub enum Owned {
    Timer(Timer),
    Idle(Idle),
    Prepare(Prepare),
    Check(Check),
    Async(AsyncHandle),
    Poll(Poll),
    Signal(Signal),
}

impl Owned {
    /// As the functions for all kinds take it.
    pub fn any(&self) -> AnyHandle<'_> {
        match self {
            Owned::Timer(timer) => AnyHandle::Timer(timer),
            Owned::Idle(idle) => AnyHandle::Idle(idle),
            Owned::Prepare(prepare) => AnyHandle::Prepare(prepare),
            Owned::Check(check) => AnyHandle::Check(check),
            Owned::Async(handle) => AnyHandle::AsyncHandle(handle),
            Owned::Poll(poll) => AnyHandle::Poll(poll),
            Owned::Signal(signal) => AnyHandle::Signal(signal),
        }
    }
}

/// A handle, with what was said when it was made.
#[derive(Debug)]
pub struct Made {
    /// The serial number of its loop.
    pub owner: u64,
    /// Its token, which others may have too.
    pub token: u64,
    /// The handle.
    pub owned: Owned,
    /// The serial number of the pool that it belongs to, and its own number there.
    pub pooled: Option<(u64, u32)>,
}

/// A run that was begun.
#[derive(Debug)]
pub struct Begun {
    /// The serial number of its loop.
    pub owner: u64,
    /// The run.
    pub run: Run,
}

/// Everything that the guest has.
#[derive(Debug, Default)]
pub struct World {
    /// Its loops, with a serial number each.
    pub loops: Vec<(u64, Loop)>,
    /// Its handles, some of loops that are gone.
    pub handles: Vec<Made>,
    /// Its runs, some finished, some of loops that are gone.
    pub runs: Vec<Begun>,
    /// The key of a run that it has dropped.
    pub dropped_key: Option<u64>,
    /// Its timer pools, with a serial number each.
    pub pools: Vec<(u64, TimerPool)>,
    /// Its descriptors.
    pub descriptors: Vec<Descriptor>,
    /// Its connections to other guests.
    pub senders: Vec<AsyncSender>,
    /// How often each function was called and each kind of event came.
    pub counts: BTreeMap<String, u32>,
    /// How many handles and loops it makes at most. With few of them, loops often lose their last one.
    pub most_handles: usize,
    /// The longest wait that it dares, in milliseconds.
    pub longest_wait: u32,
    /// How many bytes the host allows for one read.
    pub read_limit: u32,
    times: HashMap<u64, u64>,
    serial: u64,
}

impl World {
    /// Nothing yet.
    pub fn new(longest_wait: u32, read_limit: u32) -> World {
        let most_handles = fastrand::choice([1, 3, 10, usize::MAX]).expect("there are some");
        World { longest_wait, read_limit, most_handles, ..World::default() }
    }

    /// Counts a call that is made, or an event.
    pub fn count(&mut self, interface: &str, function: &str) {
        *self.counts.entry(format!("{interface}.{function}")).or_default() += 1;
    }

    /// A number that was not used before.
    pub fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A token: a new one, or one that is in use, or was.
    pub fn token(&mut self) -> u64 {
        match fastrand::u8(..8) {
            0 => fastrand::u64(..=self.serial),
            1 => u64::MAX,
            _ => self.serial(),
        }
    }

    /// Keeps a handle that was made on this loop.
    pub fn keep(&mut self, owner: u64, token: u64, made: Result<Owned, Error>) {
        self.handles.extend(made.ok().map(|owned| Made { owner, token, owned, pooled: None }));
    }

    /// Whether it may make another handle.
    pub fn has_room(&self) -> bool {
        self.handles.len() < self.most_handles
    }

    /// A closed handle is closing, and all handles are closed whose loop is.
    pub fn check_closed(&self, made: &Made) {
        let any = made.owned.any();
        let has_loop =
            self.loops.iter().any(|(serial, event_loop)| made.owner == *serial && !event_loop.closed());
        assert!(handle::closed(&any) || has_loop, "{any:?} of loop {} is not closed", made.owner);
        assert!(!handle::closed(&any) || handle::closing(&any));
    }

    /// A handle for which this is true.
    pub fn a_handle(&self, is: impl Fn(&Owned) -> bool) -> Option<&Made> {
        fastrand::choice(self.handles.iter().filter(|made| is(&made.owned)).collect::<Vec<_>>())
    }

    /// Drops a handle for which this is true.
    pub fn drop_handle(&mut self, is: impl Fn(&Owned) -> bool) -> Option<()> {
        let at: Vec<usize> = (0..self.handles.len()).filter(|at| is(&self.handles[*at].owned)).collect();
        self.handles.swap_remove(fastrand::choice(at)?);
        Some(())
    }

    /// A descriptor, which it has no more.
    pub fn take_descriptor(&mut self) -> Option<Descriptor> {
        let at = fastrand::choice(0..self.descriptors.len())?;
        Some(self.descriptors.swap_remove(at))
    }

    /// The tokens must be those of this loop's open handles. One may be missing: from its `closed` event
    /// on it is not listed, and it is closed when its run goes on.
    pub fn check_handles(&self, event_loop: u64, tokens: &[u64]) {
        let of_this = self.handles.iter().filter(|made| made.owner == event_loop);
        let mut open: Vec<u64> =
            of_this.filter(|made| !handle::closed(&made.owned.any())).map(|made| made.token).collect();
        for token in tokens {
            let at = open.iter().position(|open| open == token);
            open.swap_remove(at.expect("a token of a handle that is open"));
        }
        assert!(open.len() <= 1, "{open:?} are missing");
    }

    /// The event must be one that is due for a handle of this loop: no dropped handle's, no other loop's,
    /// nothing but `closed` of a closing one, and `closed` once.
    pub fn check_event(&self, event_loop: u64, event: &Event) {
        let of_this = |made: &&Made| made.owner == event_loop && made.token == event.token;
        let fits = |made: &Made| {
            let any = made.owned.any();
            let closing = handle::closing(&any);
            match (&event.kind, &made.owned) {
                (EventKind::Closed, _) => closing && !handle::closed(&any),
                (EventKind::Poll(_), Owned::Poll(_)) | (EventKind::Signal(_), Owned::Signal(_)) => !closing,
                (EventKind::Callback, Owned::Poll(_) | Owned::Signal(_)) => false,
                (EventKind::Callback, _) => !closing,
                _ => false,
            }
        };
        assert!(
            self.handles.iter().filter(of_this).any(fits),
            "{event:?} of loop {event_loop} is of no handle"
        );
    }

    /// The time of a loop never goes back.
    pub fn check_time(&mut self, event_loop: u64, now: u64) {
        let last = self.times.insert(event_loop, now);
        assert!(last.is_none_or(|last| last <= now), "{now} after {last:?}");
    }
}

/// Exactly what is called on a closing handle is refused for that.
#[track_caller]
pub fn check_handle_call<T: std::fmt::Debug>(closing: bool, result: Result<T, Error>) {
    assert_eq!(matches!(result, Err(Error::HandleClosed)), closing, "{result:?}");
}

/// Exactly what is called on a closed loop is refused for that.
#[track_caller]
pub fn check_loop_call<T: std::fmt::Debug>(closed: bool, result: &Result<T, Error>) {
    assert_eq!(matches!(result, Err(Error::LoopClosed)), closed, "{result:?}");
}

/// A number, often at the edge of something.
pub fn number() -> u64 {
    match fastrand::u8(..8) {
        0 => 0,
        1 => u64::MAX,
        2 => u64::MAX - fastrand::u64(..3),
        3 => i64::MAX as u64 + fastrand::u64(..3),
        4 => 1 << fastrand::u32(..64),
        5 => fastrand::u64(..),
        _ => fastrand::u64(..20),
    }
}

/// The same for the shorter ones.
pub fn size() -> u32 {
    match fastrand::u8(..4) {
        0 => number() as u32,
        1 => i32::MAX as u32 + fastrand::u32(..3),
        _ => fastrand::u32(..5_000),
    }
}

/// Bytes to write.
pub fn bytes() -> Vec<u8> {
    let length = match fastrand::u8(..16) {
        0 => 0,
        1 => 300_000,
        _ => fastrand::usize(..2_000),
    };
    vec![fastrand::u8(..); length]
}

/// A name: granted, nearly, or anything. No address that leads out of this machine.
pub fn name() -> String {
    const NAMES: [&str; 12] =
        ["stream", "listener", "udp", "reads", "writes", "file", "stdin", "wake", "tick", "self", "", "/"];
    let mut name = fastrand::choice(NAMES).unwrap_or_default().to_owned();
    if fastrand::u8(..4) == 0 {
        let any = std::iter::repeat_with(|| fastrand::char('a'..));
        name.extend(any.take(fastrand::usize(..50)));
    }
    name
}

/// A signal: granted, not granted, forbidden, or none.
pub fn signum() -> i32 {
    match fastrand::u8(..4) {
        0 => 28,
        1 => fastrand::i32(..),
        _ => fastrand::i32(-1..70),
    }
}
