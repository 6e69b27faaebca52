//! The calls that a guest can make long, each with a few handles and with eight times as many: prints
//! the nanoseconds of both, the best of some rounds.

use std::time::Instant;
use uv::batch::{Change, OpenAndStartTimer, Operation, StartTimer, TimerPool, key, next};
use uv::event_loop::{Loop, Run};
use uv::handle::AnyHandle;
use uv::types::RunMode;
use uv_handles::bindings::uv::handles as uv;

const FEW: u64 = 4_096;
const MANY: u64 = FEW * 8;

/// A call on a busy machine is interrupted, so the best of some rounds counts, and there are more of
/// them while it is not good enough.
const ROUNDS: std::ops::Range<usize> = 5..100;

/// A signal that is never sent.
const SIGPWR: i32 = 30;

/// Handles of all kinds that cost nothing outside, all of them due.
#[allow(dead_code, reason = "it is there to be dropped")]
enum Owned {
    Timer(uv::timer::Timer),
    Idle(uv::idle::Idle),
    Check(uv::check::Check),
    Async(uv::async_handle::AsyncHandle),
    Signal(uv::signal::Signal),
}

impl Owned {
    fn any(&self) -> AnyHandle<'_> {
        match self {
            Owned::Timer(handle) => AnyHandle::Timer(handle),
            Owned::Idle(handle) => AnyHandle::Idle(handle),
            Owned::Check(handle) => AnyHandle::Check(handle),
            Owned::Async(handle) => AnyHandle::AsyncHandle(handle),
            Owned::Signal(handle) => AnyHandle::Signal(handle),
        }
    }
}

fn handles(event_loop: &Loop, count: u64) -> Vec<Owned> {
    let make = |token: u64| match token % 5 {
        0 => {
            let timer = uv::timer::Timer::create(event_loop, token).unwrap();
            // In no order of their deadlines, in all levels of a wheel, and many at once.
            timer.start(token.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (token % 64), 1).unwrap();
            Owned::Timer(timer)
        }
        1 => {
            let idle = uv::idle::Idle::create(event_loop, token).unwrap();
            idle.start().unwrap();
            Owned::Idle(idle)
        }
        2 => {
            let check = uv::check::Check::create(event_loop, token).unwrap();
            check.start().unwrap();
            Owned::Check(check)
        }
        3 => {
            let handle = uv::async_handle::AsyncHandle::create(event_loop, token).unwrap();
            handle.send().unwrap();
            Owned::Async(handle)
        }
        _ => {
            let signal = uv::signal::Signal::create(event_loop, token).unwrap();
            signal.start(SIGPWR).unwrap();
            Owned::Signal(signal)
        }
    };
    (0..count).map(make).collect()
}

fn timers(event_loop: &Loop, count: u64, timeout: u64) -> Vec<uv::timer::Timer> {
    let make = |token| {
        let timer = uv::timer::Timer::create(event_loop, token).unwrap();
        timer.start(timeout, 0).unwrap();
        timer
    };
    (0..count).map(make).collect()
}

/// Continues a run to its next callback or wait.
fn step(run: &Run) {
    run.next().unwrap();
}

fn nanoseconds(call: impl FnOnce()) -> u128 {
    let begun = Instant::now();
    call();
    begun.elapsed().as_nanos()
}

fn drop_loop(count: u64) -> u128 {
    let event_loop = Loop::create().unwrap();
    let _handles = handles(&event_loop, count);
    nanoseconds(|| drop(event_loop))
}

fn list_handles(count: u64) -> u128 {
    let event_loop = Loop::create().unwrap();
    let _handles = handles(&event_loop, count);
    nanoseconds(|| assert_eq!(event_loop.handles().len() as u64, count))
}

/// The callbacks of all timers are due at once.
fn due_at_once(count: u64) -> u128 {
    let event_loop = Loop::create().unwrap();
    let _timers = timers(&event_loop, count, 0);
    let run = event_loop.begin(RunMode::Default).unwrap();
    nanoseconds(|| step(&run))
}

/// All handles are closed in one iteration.
fn closing_at_once(count: u64) -> u128 {
    let event_loop = Loop::create().unwrap();
    let handles = handles(&event_loop, count);
    handles.iter().for_each(|handle| uv::handle::close(&handle.any()));
    let run = event_loop.begin(RunMode::Default).unwrap();
    nanoseconds(|| step(&run))
}

/// A run is given up while the callbacks of all handles are due.
fn drop_run(count: u64) -> u128 {
    let event_loop = Loop::create().unwrap();
    let _handles = handles(&event_loop, count);
    let run = event_loop.begin(RunMode::Once).unwrap();
    step(&run);
    nanoseconds(|| drop(run))
}

/// A command buffer that opens and starts all timers of a pool.
fn start_by_changes(count: u64) -> u128 {
    let event_loop = Loop::create().unwrap();
    let pool = TimerPool::create().unwrap();
    let timers = allocate(&pool, &event_loop, count);
    let start = |(at, number): (usize, u32)| Change {
        position: 0,
        operation: Operation::OpenAndStart(OpenAndStartTimer {
            timer: number,
            token: at as u64,
            timeout: (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (at % 64),
            repeat: 0,
        }),
    };
    let changes: Vec<Change> = timers.iter().map(|&(_, number)| number).enumerate().map(start).collect();
    nanoseconds(|| pool.flush(&changes))
}

/// A command buffer that starts one timer again and again, with the last of all deadlines and with
/// the first in turn.
fn restart_by_changes(count: u64) -> u128 {
    let event_loop = Loop::create().unwrap();
    let pool = TimerPool::create().unwrap();
    let timers = allocate(&pool, &event_loop, 1_000);
    let open = |&(_, number): &(uv::timer::Timer, u32)| Change {
        position: 0,
        operation: Operation::OpenAndStart(OpenAndStartTimer {
            timer: number,
            token: 0,
            timeout: 1 << 30,
            repeat: 0,
        }),
    };
    pool.flush(&timers.iter().map(open).collect::<Vec<_>>());
    let restart = |at: u64| Change {
        position: 0,
        operation: Operation::Start(StartTimer { timer: timers[0].1, timeout: (at % 2) << 31, repeat: 0 }),
    };
    let changes: Vec<Change> = (0..count).map(restart).collect();
    nanoseconds(|| pool.flush(&changes))
}

fn allocate(pool: &TimerPool, event_loop: &Loop, count: u64) -> Vec<(uv::timer::Timer, u32)> {
    pool.allocate(event_loop, count as u32).unwrap()
}

fn allocate_timers(count: u64) -> u128 {
    let event_loop = Loop::create().unwrap();
    let pool = TimerPool::create().unwrap();
    nanoseconds(|| assert_eq!(allocate(&pool, &event_loop, count).len() as u64, count))
}

/// A batch as long as the guest likes.
fn batch_of_all(count: u64) -> u128 {
    let event_loop = Loop::create().unwrap();
    let _timers = timers(&event_loop, count, 0);
    let run = event_loop.begin(RunMode::Default).unwrap();
    let run_key = key(&run);
    nanoseconds(|| drop(next(run_key, u32::MAX, None, None, &[]).unwrap()))
}

/// Makes a call with so many handles or items, and returns the time that it took, in nanoseconds.
type Timed = fn(u64) -> u128;

pub fn main() {
    let calls: [(&str, Timed); 9] = [
        ("drop_loop", drop_loop),
        ("list_handles", list_handles),
        ("due_at_once", due_at_once),
        ("closing_at_once", closing_at_once),
        ("drop_run", drop_run),
        ("start_by_changes", start_by_changes),
        ("restart_by_changes", restart_by_changes),
        ("allocate_timers", allocate_timers),
        ("batch_of_all", batch_of_all),
    ];
    for (name, call) in calls {
        let (mut few, mut many) = (u128::MAX, u128::MAX);
        for round in 0..ROUNDS.end {
            if round >= ROUNDS.start && many < few * 8 * 2 {
                break;
            }
            (few, many) = (few.min(call(FEW)), many.min(call(MANY)));
        }
        println!("{name} {few} {many}");
    }
}
