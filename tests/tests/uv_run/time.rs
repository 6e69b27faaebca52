//! `--timeout` and `--virtual-time`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use uv_handles_tests::process::ended;
use uv_handles_tests::*;

foreach_uv_run_time!(assert_test_exists);

/// It ends with the code of timeout(1), and one sentence.
fn times_out(way: &str) {
    let ended = ended(&["--timeout", "0.5"], UV_RUN_TIME_NEVER_ENDS, &[way]);
    assert_eq!(ended.code, 124, "{ended:?}");
    assert_eq!(ended.stderr, ["uv-run: the guest was ended after 0.5 s (--timeout)"]);
    assert!(!ended.stdout.contains(&"ended".to_owned()), "{ended:?}");
}

#[test]
fn uv_run_time_never_ends() {
    times_out("waits");
}

#[test]
fn a_timeout_ends_a_guest_that_computes() {
    times_out("computes");
}

#[test]
fn a_timeout_ends_a_guest_that_sleeps_in_wasi() {
    times_out("sleeps");
}

#[test]
fn a_timeout_that_does_not_pass_changes_nothing() {
    ended(&["--timeout", "3600", "--virtual-time"], UV_RUN_LIMITS_MANY_TIMERS, &["3"])
        .printed(&["3 fired, the last at 920 ms"]);
}

/// The output of the guest in a day: timers in the order of their times, and at the same time in
/// the order in which they were armed.
fn a_day() -> Vec<String> {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let mut lines = vec!["begins at 0".to_owned()];
    let mut armed = 0;
    let mut timers = BinaryHeap::new();
    for (due, repeat) in
        [25_000, 60_000, 77_777, 3_600_000].map(|repeat| (repeat, repeat)).into_iter().chain([(DAY, 0)])
    {
        armed += 1;
        timers.push(Reverse((due, armed, repeat)));
    }
    while let Some(Reverse((now, _, repeat))) = timers.pop() {
        if now > DAY {
            break;
        }
        if repeat == 0 {
            lines.push(format!("a day at {now}"));
        } else {
            lines.push(format!("{repeat} at {now}"));
            armed += 1;
            timers.push(Reverse((now + repeat, armed, repeat)));
        }
    }
    lines
}

#[test]
fn uv_run_time_a_day() {
    let expected = a_day();
    assert!(expected.len() > 6000, "{}", expected.len());
    for _ in 0..2 {
        let ended = ended(&["--virtual-time"], UV_RUN_TIME_A_DAY, &[]);
        assert_eq!((ended.code, &ended.stderr[..]), (0, &[][..]));
        // Not assert_eq, which would print both.
        let differs = ended.stdout.iter().zip(&expected).position(|(line, expected)| line != expected);
        assert_eq!((differs, ended.stdout.len()), (None, expected.len()));
    }
}
