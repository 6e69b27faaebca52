//! Fuzzes the loop's core: any calls of its interface in any order, beside a model that knows what each
//! must answer and what must be true after it.
//!
//! Ids are those of loops and handles that exist, and a handle is only given to calls of its kind: the
//! core relies on its caller for that, and in the host the types of WIT see to it.

#![no_main]

mod model;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use model::{Kind, Model};
use uv_handles_core::{PollEvents, Readiness, RunMode, SourceId};

fuzz_target!(|calls: Vec<Call>| {
    let mut model = Model::new();
    for call in calls {
        make(&mut model, call);
        model.check();
    }
    model.release_everything();
});

/// One call. Numbers that stand for a loop or a handle are cut to how many there are.
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
    /// What a driver does: begins a run if there is none, and goes on to the next callback or the end.
    Drive(u8, Mode, Time),
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

/// Times of every magnitude, small ones often enough to be equal.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Time {
    Near(u8),
    Power(u8),
    Any(u64),
}

impl Time {
    fn ms(self) -> u64 {
        match self {
            Time::Near(ms) => ms.into(),
            Time::Power(bit) => 1 << (bit % 64),
            Time::Any(ms) => ms,
        }
    }
}

/// Signal numbers, most of them possible ones.
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
        Call::Polled(at, now) => model.with_loop(at, |model, id| model.loops.polled(id, now.ms())),
        Call::Drive(at, mode, now) => {
            model.with_loop(at, |model, id| model.drive(id, mode.into(), now.ms()));
        }
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
            // Refused also if it was never started.
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
