//! Fuzzes the loop's core: random calls of its interface beside a model.
//!
//! The model knows the answer of each call, and what holds after it. Ids name loops, runs, handles
//! and pools that exist, and a handle is only passed to calls of its kind: the core relies on its
//! caller for that, and in the host the types of WIT guarantee it.

#![no_main]

mod driver;
mod handle;
mod model;
mod pools;
mod runs;

use arbitrary::Arbitrary;
use driver::Wait;
use handle::Kind;
use libfuzzer_sys::fuzz_target;
use model::Model;
use pools::PoolChange;
use uv_handles_core::{PollEvents, Readiness, RunMode, SourceId};

fuzz_target!(|calls: Vec<Call>| {
    let mut model = Model::new();
    for call in calls {
        make(&mut model, call);
        model.check();
    }
    model.release_everything();
});

/// One call. A number that stands for a loop, a run, a handle or a pool is taken modulo how many
/// there are.
#[derive(Debug, Arbitrary)]
enum Call {
    MakeLoop {
        now: Time,
    },
    CloseLoop(u8),
    ReleaseLoop(u8),
    UpdateTime(u8, Time),
    StopLoop(u8),
    Begin(u8, Mode),
    Step(u8, Time),
    Polled(u8, Time),
    /// Begins a run if there is none, and goes on to the next callback or the end, as a driver does.
    Drive(u8, Mode, Time),
    BeginRun(u8, Mode),
    Next {
        run: u8,
        max: u8,
        now: Time,
        wait: Wait,
    },
    NextPair {
        run: u8,
        now: Time,
        wait: Wait,
    },
    Advance {
        run: u8,
        position: u8,
        pool: Option<u8>,
        changes: Vec<PoolChange>,
    },
    KeyOfRun(u8),
    ReleaseRun(u8),
    MakePool,
    Allocate {
        pool: u8,
        event_loop: u8,
        count: u8,
    },
    Flush {
        pool: u8,
        changes: Vec<PoolChange>,
    },
    ReleasePool(u8),
    Make {
        event_loop: u8,
        kind: Kind,
        token: u64,
    },
    Close(u8),
    Release(u8),
    Reference(u8),
    Dereference(u8),
    Stop(u8),
    TimerStart(u8, Time, Time),
    TimerAgain(u8),
    TimerSetRepeat(u8, Time),
    WatcherStart(u8),
    Send(u8),
    PollStart(u8, u8),
    PollReady(u8, u8),
    SourceGone(u8),
    SignalStart {
        handle: u8,
        signum: Signum,
        oneshot: bool,
        granted: bool,
    },
    SignalDelivered(u8, u8),
}

/// Times of every magnitude. Small ones are often equal.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Time {
    Near(u8),
    Power(u8),
    Any(u64),
}

impl Time {
    pub fn ms(self) -> u64 {
        match self {
            Time::Near(ms) => ms.into(),
            Time::Power(bit) => 1 << (bit % 64),
            Time::Any(ms) => ms,
        }
    }
}

/// Signal numbers, most of them valid.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Signum {
    Likely(u8),
    Any(i32),
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Mode {
    Default,
    Once,
    NoWait,
}

impl From<Mode> for RunMode {
    fn from(mode: Mode) -> RunMode {
        match mode {
            Mode::Default => RunMode::Default,
            Mode::Once => RunMode::Once,
            Mode::NoWait => RunMode::NoWait,
        }
    }
}

/// Few descriptors, so that handles meet on them.
fn source(number: u8) -> SourceId {
    SourceId(u64::from(number % 4))
}

fn make(model: &mut Model, call: Call) {
    match call {
        Call::MakeLoop { now } => model.make_loop(now.ms()),
        Call::CloseLoop(at) => model.with_loop(at, Model::close_loop),
        Call::ReleaseLoop(at) => model.with_loop(at, Model::release_loop),
        Call::UpdateTime(at, now) => model.with_loop(at, |model, id| model.update_time(id, now.ms())),
        Call::StopLoop(at) => model.with_loop(at, |model, id| model.loops.stop(id)),
        Call::Begin(at, mode) => model.with_loop(at, |model, id| model.begin(id, mode.into())),
        Call::Step(at, now) => model.with_loop(at, |model, id| model.step(id, now.ms())),
        Call::Polled(at, now) => model.with_loop(at, |model, id| model.polled(id, now.ms())),
        Call::Drive(at, mode, now) => {
            model.with_loop(at, |model, id| model.drive(id, mode.into(), now.ms()));
        }
        Call::BeginRun(at, mode) => model.with_loop(at, |model, id| model.begin_run(id, mode.into())),
        Call::Next { run, max, now, wait } => {
            model.with_run(run, |model, at| model.next(at, max.into(), now.ms(), wait));
        }
        Call::NextPair { run, now, wait } => {
            model.with_run(run, |model, at| model.next_pair(at, now.ms(), wait));
        }
        Call::Advance { run, position, pool, changes } => {
            model.with_run(run, |model, at| model.advance(at, position.into(), pool, &changes));
        }
        Call::KeyOfRun(at) => model.with_run(at, Model::key_of_run),
        Call::ReleaseRun(at) => model.with_run(at, Model::release_run),
        Call::MakePool => model.make_pool(),
        Call::Allocate { pool, event_loop, count } => {
            model.with_loop(event_loop, |model, id| model.allocate(pool, id, count.into()));
        }
        Call::Flush { pool, changes } => model.flush(pool, &changes),
        Call::ReleasePool(at) => model.release_pool(at),
        Call::Make { event_loop, kind, token } => {
            model.with_loop(event_loop, |model, id| model.make(id, kind, token, source(token as u8)));
        }
        Call::Close(at) => model.with_handle(at, Model::close),
        Call::Release(at) => model.with_handle(at, Model::release),
        Call::Reference(at) => model.with_handle(at, |model, id| model.set_referenced(id, true)),
        Call::Dereference(at) => model.with_handle(at, |model, id| model.set_referenced(id, false)),
        Call::Stop(at) => model.with_handle(at, Model::stop),
        Call::TimerStart(at, timeout, repeat) => model.with_kind(at, Kind::is_timer, |model, id| {
            let start = model.loops.timer_start(id, timeout.ms(), repeat.ms());
            model.expect_open(id, start);
        }),
        Call::TimerAgain(at) => model.with_kind(at, Kind::is_timer, |model, id| {
            // EINVAL if it has never been started.
            let _ = model.loops.timer_again(id);
        }),
        Call::TimerSetRepeat(at, repeat) => model.with_kind(at, Kind::is_timer, |model, id| {
            let set = model.loops.timer_set_repeat(id, repeat.ms());
            if model.expect_open(id, set) {
                assert_eq!(model.loops.timer_repeat(id), Ok(repeat.ms()));
            }
        }),
        Call::WatcherStart(at) => model.with_kind(at, Kind::is_watcher, |model, id| {
            let start = model.loops.watcher_start(id);
            if model.expect_open(id, start) {
                assert!(model.loops.active(id));
            }
        }),
        Call::Send(at) => model.with_kind(at, Kind::is_async, |model, id| {
            let send = model.loops.async_send(id);
            if model.expect_open(id, send) {
                model.expect_ready(id);
            }
        }),
        Call::PollStart(at, events) => model.with_kind(at, Kind::is_poll, |model, id| {
            let events = PollEvents::from_bits_truncate(events);
            if model.loops.poll_start(id, events).is_ok() {
                assert_eq!(model.loops.active(id), !events.is_empty());
                assert_eq!(model.loops.poll_events(id), events);
            }
        }),
        Call::PollReady(at, readiness) => model.with_kind(at, Kind::is_poll, |model, id| {
            let ends = model.loops.poll_ready(id, Readiness::from_bits_truncate(readiness));
            assert!(!ends || model.loops.active(id) && model.loops.has_ready(model.loops.loop_of(id)));
        }),
        Call::SourceGone(number) => model.loops.poll_source_gone(source(number)),
        Call::SignalStart { handle, signum, oneshot, granted } => {
            let signum = match signum {
                Signum::Likely(signum) => i32::from(signum % 66),
                Signum::Any(signum) => signum,
            };
            model.with_kind(handle, Kind::is_signal, |model, id| {
                if model.loops.signal_start(id, signum, oneshot, |_| granted).is_ok() {
                    assert_eq!(model.loops.signal_signum(id), Ok(signum));
                }
            });
        }
        Call::SignalDelivered(at, signum) => model.with_loop(at, |model, id| {
            model.loops.signal_delivered(id, i32::from(signum % 64) + 1);
        }),
    }
}
