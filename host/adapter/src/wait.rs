//! Time and waiting, by WASI's monotonic clock and pollables.
//!
//! The guest blocks only here and while a descriptor is opened (`tcp.rs`).

use crate::bindings::wasi::clocks::monotonic_clock;
use crate::bindings::wasi::io::poll;
use crate::descriptors::{Table, with_table};
use crate::pollables::{is_pollable, with_pollables};
use crate::source::{Direction, Source};
use std::sync::LazyLock;
use uv_handles_core::{HandleId, LoopId, Loops, Readiness, SourceId};

const NANOSECONDS: u64 = 1_000_000;

/// An instant in the past: a wait until then only looks.
const PAST: u64 = 0;

/// The instant at which the loops' time is 0, as it begins for a guest of the native host.
static ORIGIN: LazyLock<u64> = LazyLock::new(monotonic_clock::now);

/// The loops' time in milliseconds.
pub fn now() -> u64 {
    let origin = *ORIGIN;
    (monotonic_clock::now() - origin) / NANOSECONDS
}

/// The first instant at which the loops' time is this.
fn instant(time: u64) -> u64 {
    time.saturating_mul(NANOSECONDS).saturating_add(*ORIGIN)
}

/// How a wait has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// Something is ready, or the deadline has passed.
    Over,
    /// Nothing could ever end the wait, so there was none.
    Endless,
}

/// A poll handle whose readiness is not known without asking.
struct Unknown {
    handle: HandleId,
    asked: Asked,
}

/// The sources that have to be polled.
enum Asked {
    /// A descriptor, in one direction.
    Source(SourceId, Direction),
    /// The handle's pollable.
    Pollable,
}

/// The readiness of a ready pollable: all events that the handle asks for.
const READY: Readiness =
    Readiness::READABLE.union(Readiness::WRITABLE).union(Readiness::DISCONNECT).union(Readiness::PRIORITIZED);

/// Reports to the loop what is ready, without waiting.
pub fn look(loops: &mut Loops, id: LoopId) {
    with_table(|table| {
        let unknown = report_known(table, loops, id);
        if !unknown.is_empty() {
            ask(table, loops, &unknown, Some(PAST));
        }
    });
}

/// Blocks until something is ready for the loop or its time has come to the deadline (none: without
/// limit), and reports to the loop what is ready.
pub fn wait(loops: &mut Loops, id: LoopId, deadline: Option<u64>) -> Waited {
    let end = deadline.map(instant);
    with_table(|table| {
        // WASI may end a wait without a cause: by readiness that the loop did not ask for, or
        // because a runtime's timer is early. libuv goes on waiting then, and so does this.
        loop {
            let unknown = report_known(table, loops, id);
            let until = if loops.has_ready(id) { Some(PAST) } else { end };
            match (unknown.is_empty(), until) {
                (true, Some(PAST)) => return Waited::Over,
                (true, None) => return Waited::Endless,
                _ => ask(table, loops, &unknown, until),
            }
            let has_passed = |end: u64| end <= monotonic_clock::now();
            if loops.has_ready(id) || end.is_some_and(has_passed) {
                return Waited::Over;
            }
        }
    })
}

/// Reports to the loop what is known of its poll handles' descriptors. Returns what has to be
/// asked.
fn report_known(table: &mut Table, loops: &mut Loops, id: LoopId) -> Vec<Unknown> {
    let mut unknown = Vec::new();
    for handle in loops.active_polls(id) {
        // A descriptor that is gone has been reported.
        let Some(id) = loops.poll_source(handle) else { continue };
        if is_pollable(id) {
            unknown.push(Unknown { handle, asked: Asked::Pollable });
            continue;
        }
        let Some(source) = table.source(id) else { continue };
        loops.poll_ready(handle, source.known());
        let directions = source.unknown(loops.poll_events(handle)).into_iter();
        unknown.extend(directions.map(|direction| Unknown { handle, asked: Asked::Source(id, direction) }));
    }
    unknown
}

/// Waits until one of these is ready or until this instant, and reports what is ready.
fn ask(table: &mut Table, loops: &mut Loops, unknown: &[Unknown], until: Option<u64>) {
    // Closed descriptors go on sending meanwhile.
    table.closing.retain_mut(Source::is_sending);
    let ready = with_pollables(|of_handles| {
        // One pollable of the clock serves all timers.
        let timer = until.map(monotonic_clock::subscribe_instant);
        let mut pollables: Vec<_> = unknown
            .iter()
            .map(|unknown| match unknown.asked {
                Asked::Source(source, direction) => table.open_source(source).pollable(direction),
                Asked::Pollable => of_handles.of(unknown.handle),
            })
            .collect();
        pollables.extend(timer.as_ref());
        pollables.extend(table.closing.iter().map(Source::sent));
        poll::poll(&pollables)
    });
    for &Unknown { handle, ref asked } in ready.into_iter().filter_map(|at| unknown.get(at as usize)) {
        let readiness = match *asked {
            Asked::Pollable => READY,
            Asked::Source(source, direction) => {
                table.source(source).map_or(Readiness::empty(), |source| source.look(direction))
            }
        };
        loops.poll_ready(handle, readiness);
    }
}
