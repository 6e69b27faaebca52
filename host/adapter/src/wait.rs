//! Time and waiting, made of WASI's monotonic clock and its pollables. The whole of a guest's blocking happens
//! here, but for connecting (`tcp.rs`).

use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::io::poll;
use crate::descriptors::{Table, with_table};
use crate::source::{Direction, Source};
use crate::with;
use std::sync::LazyLock;
use uv_handles_core::{HandleId, LoopId, Loops, SourceId};

const NANOSECONDS: u64 = 1_000_000;

/// A moment that has passed: who waits until then only looks.
const PAST: u64 = 0;

/// Where the loops' time begins, as it does for a guest of the native host.
static ORIGIN: LazyLock<u64> = LazyLock::new(monotonic_clock::now);

/// The time in milliseconds.
pub fn now() -> u64 {
    let origin = *ORIGIN;
    (monotonic_clock::now() - origin) / NANOSECONDS
}

/// A poll handle, and a direction of its descriptor in which it takes asking to know whether it is ready.
struct Unknown {
    handle: HandleId,
    source: SourceId,
    direction: Direction,
}

/// Waits until something is ready for the loop, at most so many milliseconds (none: without limit; 0: only
/// looks), and reports all that is. Answers whether anything could ever have ended the wait.
///
/// The wait begins now and not at the loop's cached time, as libuv's does.
pub fn poll(id: LoopId, timeout: Option<u32>) -> bool {
    let end = match timeout {
        None => None,
        Some(0) => Some(PAST),
        Some(timeout) => Some(monotonic_clock::now().saturating_add(u64::from(timeout) * NANOSECONDS)),
    };
    with_table(|table| {
        loop {
            let unknown = with(|loops| report_known(table, loops, id));
            let until = if with(|loops| loops.has_ready(id)) { Some(PAST) } else { end };
            match (unknown.is_empty(), until) {
                (true, Some(PAST)) => return true,
                (true, None) => return false,
                _ => ask(table, &unknown, until),
            }
            // A wait may end without cause: by an event that nobody asked for, or because a runtime's timer is
            // a little early. A run of mode `once` would end then without calling what it waited for.
            let passed = |moment: u64| moment == PAST || monotonic_clock::now() >= moment;
            if until.is_some_and(passed) || with(|loops| loops.has_ready(id)) {
                return true;
            }
        }
    })
}

/// Reports to the loop what is known of its poll handles' descriptors, and answers what has to be asked.
fn report_known(table: &mut Table, loops: &mut Loops, id: LoopId) -> Vec<Unknown> {
    let mut unknown = Vec::new();
    for handle in loops.active_polls(id) {
        // One that is gone has been reported.
        let Some(id) = loops.poll_source(handle) else { continue };
        let Some(source) = table.source(id) else { continue };
        loops.poll_ready(handle, source.known());
        let directions = source.unknown(loops.poll_events(handle)).into_iter();
        unknown.extend(directions.map(|direction| Unknown { handle, source: id, direction }));
    }
    unknown
}

/// Waits until one of these is ready, or until that moment, and reports what is ready.
fn ask(table: &mut Table, unknown: &[Unknown], until: Option<u64>) {
    // What closed descriptors have still to send goes on meanwhile.
    table.closing.retain_mut(Source::is_sending);
    let ready = {
        // The earliest timer's deadline is all that the clock is asked for, whatever the number of timers.
        let timer = until.map(monotonic_clock::subscribe_instant);
        let mut pollables: Vec<_> =
            unknown.iter().map(|asked| table.open_source(asked.source).pollable(asked.direction)).collect();
        pollables.extend(timer.as_ref());
        pollables.extend(table.closing.iter().map(Source::sent));
        poll::poll(&pollables)
    };
    with(|loops| {
        for asked in ready.into_iter().filter_map(|at| unknown.get(at as usize)) {
            if let Some(source) = table.source(asked.source) {
                loops.poll_ready(asked.handle, source.look(asked.direction));
            }
        }
    });
}
