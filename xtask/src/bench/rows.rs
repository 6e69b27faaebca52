//! The measurements and their goals: a table of works and a table of rows.
//!
//! A work is done by some sides, all of which have to count the same. A row compares one of its figures between two
//! sides, or between two works, or states it as it is.

use self::Bound::{AtLeast, AtMost, Reported};
use self::Figure::{BytesPerOperation, Cpu, Given, KibPerGuest, ThreadCpu, Wall};
use self::Side::{ByHand, Composed, Concurrency, Libuv, OnDemand, Sandbox, Tokio, WithoutEpochs, Wstd};

/// Who does a work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// A guest through the SDK, in the sandbox, with the engine's recommended configuration.
    Sandbox,
    /// The same with component-model concurrency on.
    Concurrency,
    /// The same with epochs off.
    WithoutEpochs,
    /// The same with instances made on demand, from no pool.
    OnDemand,
    /// Native libuv, in C.
    Libuv,
    /// Native tokio.
    Tokio,
    /// A guest on stock wasmtime-wasi, with `wasi:io/poll` by hand.
    ByHand,
    /// A guest with wstd on stock wasmtime-wasi.
    Wstd,
    /// The sandbox's guest composed with the adapter, on stock wasmtime-wasi.
    Composed,
}

impl Side {
    /// For tables, plots and the raw figures.
    pub fn name(self) -> &'static str {
        match self {
            Sandbox => "sandbox",
            Concurrency => "sandbox, concurrency on",
            WithoutEpochs => "sandbox, epochs off",
            OnDemand => "sandbox, no pool",
            Libuv => "libuv",
            Tokio => "tokio",
            ByHand => "WASI by hand",
            Wstd => "wstd",
            Composed => "composed",
        }
    }
}

/// A piece of work.
#[derive(Debug)]
pub struct Work {
    /// By which rows name it.
    pub id: &'static str,
    /// By which the programs know it.
    pub name: &'static str,
    /// Its numbers in a full run.
    pub full: &'static [u64],
    /// Its numbers in a quick one.
    pub quick: &'static [u64],
    /// Who does it.
    pub sides: &'static [Side],
}

/// A figure of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// CPU time of the process for each operation.
    Cpu,
    /// CPU time of the loop's thread for each operation.
    ThreadCpu,
    /// Time for each operation.
    Wall,
    /// A figure that the program gives, and its unit.
    Given(&'static str, &'static str),
    /// Resident memory for each operation.
    BytesPerOperation,
    /// Resident memory for each guest.
    KibPerGuest,
}

/// The goal of a row's figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// At most the goal, better at most the stretch.
    AtMost(f64, Option<f64>),
    /// At least the goal, better at least the stretch.
    AtLeast(f64, Option<f64>),
    /// There is no goal.
    Reported,
}

/// A work as one side does it.
pub type Of = (&'static str, Side);

/// A line of the table.
#[derive(Debug)]
pub struct Row {
    /// The title.
    pub title: &'static str,
    /// Which figure.
    pub figure: Figure,
    /// Whose.
    pub of: Of,
    /// Divided by whose, unless it is stated as it is.
    pub to: Option<Of>,
    /// The goal.
    pub bound: Bound,
}

const fn work(
    id: &'static str,
    name: &'static str,
    full: &'static [u64],
    quick: &'static [u64],
    sides: &'static [Side],
) -> Work {
    Work { id, name, full, quick, sides }
}

const fn ratio(title: &'static str, figure: Figure, of: Of, to: Of, bound: Bound) -> Row {
    Row { title, figure, of, to: Some(to), bound }
}

/// A row of the specification's main table: the sandbox over libuv.
const fn to_libuv(title: &'static str, work: &'static str, goal: f64, stretch: f64) -> Row {
    ratio(title, Cpu, (work, Sandbox), (work, Libuv), AtMost(goal, Some(stretch)))
}

/// Another side over libuv, for comparison.
const fn reported(title: &'static str, work: &'static str, side: Side) -> Row {
    ratio(title, Cpu, (work, side), (work, Libuv), Reported)
}

const fn absolute(title: &'static str, figure: Figure, of: Of, bound: Bound) -> Row {
    Row { title, figure, of, to: None, bound }
}

const P50: Figure = Given("round_trip_p50_ns", "ns");
const P99: Figure = Given("round_trip_p99_ns", "ns");
const SIGNAL_P50: Figure = Given("one_way_p50_ns", "ns");
const RATE: Figure = Given("messages_per_s", "/s");

/// The works.
pub const WORKS: &[Work] = &[
    work("timers", "timers", &[1_000_000, 1], &[100_000, 1], &[Sandbox, Libuv, Concurrency, Tokio]),
    work("lists", "lists", &[1_000_000], &[100_000], &[Sandbox]),
    work("random-timers", "random-timers", &[1_000_000, 1], &[100_000, 1], &[Sandbox, Libuv]),
    work("repeating", "repeating", &[10_000, 10, 100], &[10_000, 10, 10], &[Sandbox, Libuv, Tokio]),
    work("timeouts", "timeouts", &[100_000, 2_000_000], &[100_000, 200_000], &[Sandbox, Libuv, Concurrency]),
    work(
        "idle",
        "idle",
        &[1_000_000],
        &[200_000],
        &[Sandbox, Libuv, Concurrency, WithoutEpochs, ByHand, Composed],
    ),
    work("calls", "calls", &[1_000_000], &[200_000], &[Sandbox, Concurrency]),
    work("phases", "phases", &[1_000_000], &[200_000], &[Sandbox, Libuv]),
    work("idle-poll", "idle-poll", &[1_000_000], &[200_000], &[Sandbox, Libuv]),
    work("ping-pong", "ping-pong", &[300_000], &[50_000], &[Sandbox, Libuv, Concurrency, Tokio]),
    work("many-polls", "many-polls", &[9_500, 100, 300_000], &[9_500, 100, 50_000], &[Sandbox, Libuv]),
    work("many-shared-polls", "many-shared-polls", &[9_500, 100, 300_000], &[9_500, 100, 50_000], &[Sandbox]),
    work("many-polls/1000", "many-polls", &[1_000, 100, 300_000], &[1_000, 100, 50_000], &[Sandbox, Libuv]),
    work("many-polls/100", "many-polls", &[100, 100, 300_000], &[100, 100, 50_000], &[Sandbox, Libuv]),
    work("wake-up", "wake-up", &[10_000], &[2_000], &[Sandbox, Libuv, Concurrency, Tokio]),
    work("signal", "signal", &[5_000], &[1_000], &[Sandbox, Libuv]),
    work("echo", "echo", &[64, 2_000], &[64, 200], &[Sandbox, Libuv, Tokio]),
    work("spread-timers", "spread-timers", &[10_000, 1], &[2_000, 1], &[Sandbox, Libuv, ByHand]),
    work("spread-timers/1000", "spread-timers", &[1_000, 3], &[1_000, 1], &[Sandbox, Wstd]),
    work("waits", "waits", &[1_000, 300, 1], &[1_000, 50, 1], &[Sandbox, Libuv, ByHand]),
    work("waits/due", "waits", &[1_000, 3_000, 0], &[1_000, 500, 0], &[Sandbox, Libuv, ByHand]),
    work("waits/0", "waits", &[0, 300, 1], &[0, 50, 1], &[Sandbox, Libuv, ByHand, Composed]),
    work("restarts", "restarts", &[300_000], &[100_000], &[Sandbox, Libuv, ByHand, Composed]),
    work("timers/1000", "timers", &[1_000, 200], &[1_000, 20], &[Sandbox, Libuv]),
    work("timers/10000", "timers", &[10_000, 20], &[10_000, 2], &[Sandbox, Libuv]),
    work("timers/100000", "timers", &[100_000, 2], &[100_000, 1], &[Sandbox, Libuv]),
    work("pollables", "pollables", &[1_000, 300, 1], &[1_000, 20, 1], &[Sandbox, ByHand]),
    work("pollables/0", "pollables", &[0, 300, 1], &[0, 20, 1], &[Sandbox]),
    work("requests", "requests", &[10_000, 100], &[400, 20], &[Sandbox, Wstd]),
    work("pending-requests", "pending-requests", &[1_000], &[50], &[Sandbox, Wstd]),
    work("memory", "memory", &[1_000_000], &[100_000], &[Sandbox, Libuv]),
    work("set", "set", &[10_000, 1_000, 3], &[500, 200, 2], &[Sandbox]),
    work("set/1000", "set", &[1_000, 1_000, 3], &[100, 200, 2], &[Sandbox]),
    work("set/100", "set", &[100, 1_000, 3], &[10, 200, 2], &[Sandbox]),
    work("supervised", "supervised", &[10_000, 1_000, 3], &[500, 200, 2], &[Sandbox]),
    work("set-with-slack", "set-with-slack", &[10_000, 1_000, 3], &[500, 200, 2], &[Sandbox]),
    work("in-turn", "in-turn", &[10_000, 1_000, 3], &[500, 200, 2], &[Sandbox]),
    work("plugins", "plugins", &[10_000, 1_000, 3], &[500, 200, 2], &[Sandbox]),
    work("called", "called", &[10_000, 1_000, 3], &[500, 200, 2], &[Sandbox]),
    work("programs", "programs", &[10_000, 1_000, 3], &[500, 200, 2], &[Sandbox]),
    work("instantiate", "instantiate", &[5_000], &[500], &[Sandbox, ByHand, OnDemand]),
];

/// The rows, in the order of the table.
pub const ROWS: &[Row] = &[
    to_libuv("1,000,000 timers: make, start, fire, close", "timers", 0.5, 0.25),
    reported("- concurrency on", "timers", Concurrency),
    reported("- tokio", "timers", Tokio),
    ratio(
        "- the limit: closures, resources and lists for as many, and no timers",
        Cpu,
        ("lists", Sandbox),
        ("timers", Libuv),
        Reported,
    ),
    to_libuv("the same, random over 60 s of virtual time", "random-timers", 0.6, 0.3),
    to_libuv("10,000 repeating timers of 10 ms, 100 calls each", "repeating", 1.2, 0.8),
    reported("- tokio", "repeating", Tokio),
    to_libuv("stop + start of a timer that never fires, 100,000 pending", "timeouts", 2.0, 1.0),
    reported("- concurrency on", "timeouts", Concurrency),
    to_libuv("iteration: one idle handle", "idle", 1.0, 0.6),
    reported("- concurrency on", "idle", Concurrency),
    reported("- epochs off", "idle", WithoutEpochs),
    ratio(
        "the limit: one call to the host that does nothing, over an iteration of libuv",
        Cpu,
        ("calls", Sandbox),
        ("idle", Libuv),
        Reported,
    ),
    ratio("- concurrency on", Cpu, ("calls", Concurrency), ("idle", Libuv), Reported),
    to_libuv("iteration: idle + prepare + check", "phases", 1.5, 0.8),
    to_libuv("iteration: idle + a poll handle that is never ready", "idle-poll", 1.8, 1.3),
    to_libuv("ping-pong over a socket pair", "ping-pong", 1.6, 1.2),
    reported("- concurrency on", "ping-pong", Concurrency),
    reported("- tokio", "ping-pong", Tokio),
    to_libuv("event of a poll handle, 9,500 handles, 100 ready", "many-polls", 1.5, 1.0),
    ratio(
        "- on descriptors that others may share",
        Cpu,
        ("many-shared-polls", Sandbox),
        ("many-polls", Libuv),
        Reported,
    ),
    ratio("wake-up, round trip, p50", P50, ("wake-up", Sandbox), ("wake-up", Libuv), AtMost(1.3, Some(1.0))),
    ratio("- concurrency on", P50, ("wake-up", Concurrency), ("wake-up", Libuv), Reported),
    ratio("- tokio", P50, ("wake-up", Tokio), ("wake-up", Libuv), Reported),
    ratio("wake-up, round trip, p99", P99, ("wake-up", Sandbox), ("wake-up", Libuv), AtMost(2.0, Some(1.2))),
    ratio(
        "signal to callback, p50",
        SIGNAL_P50,
        ("signal", Sandbox),
        ("signal", Libuv),
        AtMost(1.3, Some(1.0)),
    ),
    ratio(
        "TCP echo, 64 clients, 1 KiB: rate",
        RATE,
        ("echo", Sandbox),
        ("echo", Libuv),
        AtLeast(0.6, Some(0.85)),
    ),
    ratio("- tokio", RATE, ("echo", Tokio), ("echo", Libuv), Reported),
    ratio("- the server's CPU time", ThreadCpu, ("echo", Sandbox), ("echo", Libuv), Reported),
    ratio(
        "10,000 timers within 100 ms: stock WASI over ours",
        Cpu,
        ("spread-timers", ByHand),
        ("spread-timers", Sandbox),
        AtLeast(10.0, None),
    ),
    ratio(
        "a wait of 1 ms beside 1,000 pending timers: stock WASI over ours",
        Cpu,
        ("waits", ByHand),
        ("waits", Sandbox),
        Reported,
    ),
    reported("- ours over libuv", "waits", Sandbox),
    ratio(
        "a wait for what is due beside 1,000 pending timers: stock WASI over ours",
        Cpu,
        ("waits/due", ByHand),
        ("waits/due", Sandbox),
        AtLeast(100.0, None),
    ),
    reported("- ours over libuv", "waits/due", Sandbox),
    ratio(
        "idle iteration: stock WASI over ours",
        Cpu,
        ("idle", ByHand),
        ("idle", Sandbox),
        AtLeast(2.0, None),
    ),
    ratio(
        "1,000 timers within 100 ms: wstd over ours",
        Cpu,
        ("spread-timers/1000", Wstd),
        ("spread-timers/1000", Sandbox),
        AtLeast(50.0, None),
    ),
    ratio(
        "a wait of 1 ms beside 1,000 idle pollables: stock WASI over ours",
        Cpu,
        ("pollables", ByHand),
        ("pollables", Sandbox),
        Reported,
    ),
    ratio(
        "- ours over ours without pollables",
        Cpu,
        ("pollables", Sandbox),
        ("pollables/0", Sandbox),
        Reported,
    ),
    absolute("HTTP request, 10,000 of them, 100 at a time", Cpu, ("requests", Sandbox), Reported),
    ratio("- wstd over ours", Cpu, ("requests", Wstd), ("requests", Sandbox), AtLeast(1.0, None)),
    ratio("- wstd over ours, time", Wall, ("requests", Wstd), ("requests", Sandbox), AtLeast(1.0, None)),
    absolute("memory of a pending HTTP request", BytesPerOperation, ("pending-requests", Sandbox), Reported),
    absolute("- wstd", BytesPerOperation, ("pending-requests", Wstd), Reported),
    ratio("composed: idle iteration over the host's", Cpu, ("idle", Composed), ("idle", Sandbox), Reported),
    ratio("composed: idle iteration over by hand", Cpu, ("idle", Composed), ("idle", ByHand), Reported),
    ratio("composed: a timer over the host's", Cpu, ("restarts", Composed), ("restarts", Sandbox), Reported),
    ratio("composed: a timer over by hand", Cpu, ("restarts", Composed), ("restarts", ByHand), Reported),
    ratio(
        "composed: a timer of 1 ms, time, over the host's",
        Wall,
        ("waits/0", Composed),
        ("waits/0", Sandbox),
        Reported,
    ),
    ratio(
        "composed: a timer of 1 ms, time, over by hand",
        Wall,
        ("waits/0", Composed),
        ("waits/0", ByHand),
        Reported,
    ),
    ratio("a timer of 1 ms, time: ours over libuv", Wall, ("waits/0", Sandbox), ("waits/0", Libuv), Reported),
    reported("a timer, started, iteration, called: ours over libuv", "restarts", Sandbox),
    ratio(
        "growth: a timer among 1,000,000 over one among 1,000",
        Cpu,
        ("timers", Sandbox),
        ("timers/1000", Sandbox),
        AtMost(2.0, None),
    ),
    ratio("- libuv", Cpu, ("timers", Libuv), ("timers/1000", Libuv), Reported),
    ratio(
        "growth: an event among 9,500 handles over one among 100",
        Cpu,
        ("many-polls", Sandbox),
        ("many-polls/100", Sandbox),
        AtMost(1.1, None),
    ),
    ratio("- libuv", Cpu, ("many-polls", Libuv), ("many-polls/100", Libuv), Reported),
    absolute(
        "memory of a timer, host and guest",
        BytesPerOperation,
        ("memory", Sandbox),
        AtMost(250.0, None),
    ),
    absolute("- libuv", BytesPerOperation, ("memory", Libuv), Reported),
    absolute("memory of an idle plugin", KibPerGuest, ("set", Sandbox), AtMost(40.0, None)),
    absolute("- of a supervised one", KibPerGuest, ("supervised", Sandbox), Reported),
    absolute("- of one in a task", KibPerGuest, ("plugins", Sandbox), Reported),
    absolute("- of a program that waits in a task", KibPerGuest, ("programs", Sandbox), Reported),
    absolute(
        "- the limit: of the same component without a loop",
        KibPerGuest,
        ("in-turn", Sandbox),
        Reported,
    ),
    absolute(
        "CPU time of a tick, up to 10,000 plugins on a thread",
        Cpu,
        ("set", Sandbox),
        AtMost(6_000.0, None),
    ),
    absolute("- supervised plugins", Cpu, ("supervised", Sandbox), Reported),
    ratio("- over those without", Cpu, ("supervised", Sandbox), ("set", Sandbox), AtMost(1.03, None)),
    absolute("- timers up to 4 ms late", Cpu, ("set-with-slack", Sandbox), Reported),
    absolute(
        "- the limit: exports are called in turn, some each millisecond",
        Cpu,
        ("in-turn", Sandbox),
        Reported,
    ),
    absolute("- plugins in tasks", Cpu, ("plugins", Sandbox), Reported),
    absolute("- programs in tasks", Cpu, ("programs", Sandbox), Reported),
    absolute("- an export that a timer of tokio's calls", Cpu, ("called", Sandbox), Reported),
    ratio(
        "instantiation, over the same without our interfaces",
        Cpu,
        ("instantiate", Sandbox),
        ("instantiate", ByHand),
        AtMost(1.3, None),
    ),
    ratio(
        "- without a pool over with one",
        Cpu,
        ("instantiate", OnDemand),
        ("instantiate", Sandbox),
        Reported,
    ),
];

/// A drawing: a figure of one work with different numbers.
#[derive(Debug)]
pub struct Plot {
    /// The file's name, without `.svg`.
    pub file: &'static str,
    /// Above it.
    pub title: &'static str,
    /// Along the bottom: the first of the works' numbers.
    pub along: &'static str,
    /// The figure that is drawn.
    pub figure: Figure,
    /// The works, by rising numbers.
    pub works: &'static [&'static str],
    /// Whose.
    pub sides: &'static [Side],
}

/// The drawings.
pub const PLOTS: &[Plot] = &[
    Plot {
        file: "timers",
        title: "A timer - made, started, called, closed - by the number of timers, ns of CPU time",
        along: "timers",
        figure: Cpu,
        works: &["timers/1000", "timers/10000", "timers/100000", "timers"],
        sides: &[Sandbox, Libuv],
    },
    Plot {
        file: "descriptors",
        title: "An event of a poll handle, 100 ready at a time, by the number of handles, ns of CPU time",
        along: "poll handles",
        figure: Cpu,
        works: &["many-polls/100", "many-polls/1000", "many-polls"],
        sides: &[Sandbox, Libuv],
    },
    Plot {
        file: "guests",
        title: "A tick of a plugin's timer, by the number of plugins on one thread, ns of CPU time",
        along: "plugins",
        figure: Cpu,
        works: &["set/100", "set/1000", "set"],
        sides: &[Sandbox],
    },
];

/// The work of that id.
pub fn work_of(id: &str) -> &'static Work {
    WORKS.iter().find(|work| work.id == id).expect("rows name works that there are")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_plots_name_works_and_sides_that_there_are() {
        for row in ROWS {
            for (work, side) in [Some(row.of), row.to].into_iter().flatten() {
                assert!(work_of(work).sides.contains(&side), "{}", row.title);
            }
        }
        for plot in PLOTS {
            for work in plot.works {
                assert!(plot.sides.iter().all(|side| work_of(work).sides.contains(side)), "{}", plot.file);
            }
        }
    }

    #[test]
    fn every_work_has_an_id_of_its_own() {
        for (at, work) in WORKS.iter().enumerate() {
            assert!(WORKS[..at].iter().all(|other| other.id != work.id), "{}", work.id);
            assert_eq!(work.full.len(), work.quick.len(), "{}", work.id);
        }
    }
}
