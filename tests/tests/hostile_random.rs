//! A hostile guest that calls every function of every interface in random order with random
//! arguments, beside a well-behaved one.
//!
//! `UV_HANDLES_SEEDS=1000..2000` makes it use other seeds.

// The guest has pipes.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;
use uv_handles_tests::*;

foreach_hostile_random!(assert_test_exists);

/// The seeds of every run of the tests.
const SEEDS: Range<u64> = 0..400;

/// The number of calls of each seed.
const CALLS: u64 = 5_000;

/// The least number of calls of each function, by all seeds together.
const EACH_FUNCTION: u64 = 1_000;

/// The least number of events of each kind: for some it depends on how long the calls take.
const EACH_EVENT: u64 = 20;

/// The kinds of events, as the guest counts them.
const EVENTS: [&str; 5] = ["callback", "closed", "poll", "poll-error", "signal"];

/// The functions that a guest can call, by the WIT package: `interface.function`, and
/// `interface.drop-resource` for a resource. And the events.
fn everything() -> Vec<String> {
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit");
    let mut all = Vec::new();
    for file in fs::read_dir(wit).unwrap().map(|entry| entry.unwrap().path()) {
        let interface = file.file_stem().unwrap().to_str().unwrap();
        // A guest does not call its own exports.
        let is_export = ["plugin-events", "plugin-life"].contains(&interface);
        if file.extension().is_none_or(|extension| extension != "wit") || is_export {
            continue;
        }
        for line in fs::read_to_string(&file).unwrap().lines().map(str::trim) {
            if let Some(resource) = line.strip_prefix("resource ") {
                let resource = resource.trim_end_matches([' ', '{', ';']);
                all.push(format!("{interface}.drop-{resource}"));
            } else if let Some((name, rest)) = line.split_once(": ")
                && (rest.starts_with("func(") || rest.starts_with("static func("))
            {
                all.push(format!("{interface}.{name}"));
            }
        }
    }
    all.extend(EVENTS.map(|kind| format!("event.{kind}")));
    all.sort();
    all
}

#[test]
fn hostile_random_calls() {
    let mut seeds = seeds(SEEDS);
    let count = seeds.end - seeds.start;
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    beside(|| {
        for seed in seeds.by_ref() {
            println!("seed {seed}");
            let of_this = random_calls(seed, CALLS);
            for (function, times) in of_this {
                *counts.entry(function).or_default() += times;
            }
        }
    });
    println!("{counts:#?}");
    assert!(counts.keys().eq(&everything()), "the guest counts exactly what there is: {:#?}", everything());
    for (counted, times) in counts {
        let least = if counted.starts_with("event.") { EACH_EVENT } else { EACH_FUNCTION };
        assert!(times >= least * count / (SEEDS.end - SEEDS.start), "{counted}: {times}");
    }
}
