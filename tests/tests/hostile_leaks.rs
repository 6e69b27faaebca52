//! Hostile guests leave nothing behind when they are gone. Each test runs in a process of its own,
//! in which no other test opens descriptors, starts threads or allocates.

// Looks in /proc for what is left behind.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fs;
use uv_handles_tests::os::stream_pair;
use uv_handles_tests::*;

foreach_hostile_leaks!(assert_test_exists);

/// The tolerance for resident memory.
const SLACK: u64 = 2 << 20;

/// The environment variable that tells a process which test it runs.
const ALONE: &str = "UV_HANDLES_TEST_ALONE";

/// Runs the body of this test in a process of its own.
fn alone(test: &str, body: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some_and(|alone| alone == test) {
        return body();
    }
    let mut command = own_process(test);
    command.args(["--nocapture", "--test-threads", "1"]).env(ALONE, test);
    // One heap for all threads, of which all free memory can be given back: see `Level::now`.
    command.env("MALLOC_ARENA_MAX", "1");
    let output = command.output().expect("it can be started once more");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    println!("{text}");
}

/// The resources of the process.
#[derive(Debug)]
struct Level {
    descriptors: BTreeSet<String>,
    /// SigCgt of /proc/self/status.
    caught: String,
    threads: usize,
    resident: u64,
}

impl Level {
    fn now() -> Level {
        // SAFETY: it returns free memory to the system, and touches no other memory. Without it,
        // the C library keeps memory that was once in use.
        unsafe { libc::malloc_trim(0) };
        let descriptor = |entry: fs::DirEntry| {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            format!("{} {}", entry.file_name().display(), target.display())
        };
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let caught = status.lines().find(|line| line.starts_with("SigCgt:")).unwrap().to_owned();
        let rollup = fs::read_to_string("/proc/self/smaps_rollup").unwrap();
        let resident = rollup.lines().find_map(|line| line.strip_prefix("Rss:")?.trim().strip_suffix("kB"));
        Level {
            descriptors: fs::read_dir("/proc/self/fd")
                .unwrap()
                .map(|entry| descriptor(entry.unwrap()))
                .collect(),
            caught,
            threads: fs::read_dir("/proc/self/task").unwrap().count(),
            resident: resident.unwrap().trim().parse::<u64>().unwrap() * 1024,
        }
    }

    /// Asserts that everything is as it was before.
    fn assert_as(&self, before: &Level, what: &str) {
        assert_eq!(self.descriptors, before.descriptors, "descriptors after {what}");
        assert_eq!(self.caught, before.caught, "caught signals after {what}");
        assert!(
            self.threads <= before.threads,
            "{} threads after {what}, not {}",
            self.threads,
            before.threads
        );
        let (now, then) = (self.resident / 1024, before.resident / 1024);
        println!("{what}: {then} KiB before, {now} KiB after");
        assert!(self.resident <= before.resident + SLACK, "{now} KiB after {what}, {then} KiB before");
    }
}

/// A thread that has been joined may still be listed for a moment.
fn wait_for_threads(expected: usize) {
    wait_until("only so many threads", || fs::read_dir("/proc/self/task").unwrap().count() <= expected);
}

#[test]
fn nothing_is_left_of_any_attack() {
    alone("nothing_is_left_of_any_attack", || {
        let random = || (1..=6).for_each(|seed| drop(random_calls(seed, 2_000)));
        let attacks: Vec<(&str, &dyn Fn())> = attacks::ATTACKS
            .iter()
            .map(|(name, attack)| (*name, attack as &dyn Fn()))
            .chain([("random calls", &random as &dyn Fn())])
            .collect();
        for (_, attack) in attacks.iter().chain(&attacks) {
            attack();
        }
        let before = Level::now();
        for (name, attack) in attacks {
            for _ in 0..2 {
                attack();
            }
            wait_for_threads(before.threads);
            Level::now().assert_as(&before, name);
        }
    });
}

/// The most memory that was resident at once since `reset_peak`.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.unwrap().parse::<u64>().unwrap() * 1024
}

fn reset_peak() {
    fs::write("/proc/self/clear_refs", "5").expect("a process may reset its own");
}

/// All loops and handles that are allowed by default, in a guest that has memory itself, which
/// counts here.
#[test]
fn a_flood_costs_the_host_little_memory() {
    alone("a_flood_costs_the_host_little_memory", || {
        attacks::floods();
        let before = Level::now();
        reset_peak();
        attacks::floods();
        let used = peak() - before.resident;
        println!("{} KiB", used / 1024);
        assert!((1 << 20..64 << 20).contains(&used), "{used} bytes for 65,536 handles on 64 loops");
    });
}

/// Opens and closes a million times and compares, while the guest still lives and when it is gone.
fn a_million(what: &str) {
    let (_ours, theirs) = stream_pair();
    let mut go = None;
    let mut guest = Guest::new(HOSTILE_LEAKS_MILLION).arg(what).arg("1000000").spawn(|uv| {
        uv.descriptor("socket", theirs).unwrap().signal(libc::SIGWINCH);
        uv.async_sender("wake");
        go = Some(uv.async_sender("go"));
    });
    let go = go.unwrap();
    guest.expect("ready");
    guest.expect("warm");
    let warm = Level::now();
    go.send().unwrap();
    guest.expect("done");
    Level::now().assert_as(&warm, what);
    go.send().unwrap();
    guest.wait().succeeded();
    // Its own thread, and the one that reads what it prints.
    wait_for_threads(warm.threads - 2);
}

#[test]
fn hostile_leaks_million() {
    alone("hostile_leaks_million", || a_million("handles"));
}

#[test]
fn a_million_descriptors_leak_nothing() {
    alone("a_million_descriptors_leak_nothing", || a_million("descriptors"));
}

#[test]
fn a_million_loops_leak_nothing() {
    alone("a_million_loops_leak_nothing", || a_million("loops"));
}
