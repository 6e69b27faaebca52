//! Signals of this process. They reach all threads' guests, so each test has signals of its own:
//!
//! | test | signal |
//! | --- | --- |
//! | `signal_kill` | SIGUSR1 |
//! | `signal_two_guests` | SIGUSR2 |
//! | `signal_oneshot` | SIGWINCH |
//! | `signal_stopped` | SIGURG, SIGCONT (which is only watched) |
//! | `signal_refused` | none is sent, SIGCONT is watched |
//! | `signal_two_loops` | 35 |
//! | `signal_counted` | 36 |
//! | `signal_trap` | 37 |
//! | `an_ignored_signal_is_ignored_again_afterwards` | 38 |
//! | `signal_two_signals` | 39, 40 |
//! | `signal_oneshot_again` | 41 |
//! | `signal_mixed` | 42 |
//! | `signal_many_guests` | 43, 44, 45 (which is only watched) |
//! | `signal_closed_while_pending` | 46 |
//! | `signal_closed_keeps_the_loop_alive` | 47 |
//! | `what_was_installed_over_ours_stays` | 48 |
//! | `signal_after_other_events` | 49 |
//! | `signal_withdrawn_while_pending` | 50 |
//! | `signal_started_again` | 51 |
//! | `signal_flood` | 52, 53 |
//! | `a_signal_that_is_blocked_everywhere_is_delivered_while_it_is_watched` | 54 |

// Real-time signals, and threads that /proc shows.
#![cfg(target_os = "linux")]

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use uv_handles_tests::os::{block, install, installed, kill_self, stream_pair};
use uv_handles_tests::*;

foreach_signal!(assert_test_exists);

#[test]
fn signal_kill() {
    let mut guest = spawn(SIGNAL_KILL, |uv| {
        uv.signal(libc::SIGUSR1);
    });
    guest.expect("ready");
    for _ in 0..3 {
        let kill =
            Command::new("sh").args(["-c", "kill -s USR1 \"$0\"", &std::process::id().to_string()]).status();
        assert!(kill.unwrap().success());
        guest.expect("SIGUSR1");
        guest.expect("check");
    }
    guest.wait().succeeded();
}

#[test]
fn signal_refused() {
    let denied = Arc::new(Mutex::new(Vec::new()));
    let output = run(SIGNAL_REFUSED, |uv| {
        let denied = denied.clone();
        uv.on_denied(move |what| denied.lock().unwrap().push(format!("{what:?}")));
        for signum in [-1, 0, 65, 9, 19, 4, 5, 6, 7, 8, 11, 32, 33, libc::SIGCONT] {
            uv.signal(signum);
        }
    });
    output.succeeded();
    let expected = [1, 1, 2, 2, 15, 15, 64, 64, 1].map(|signum| format!("Signal({signum})"));
    assert_eq!(*denied.lock().unwrap(), expected, "a signal that cannot be watched was not denied");
}

/// How often the embedder's own handler was called, by signal. A signal for the process may be
/// delivered on any thread, so this changes at some time after the signal was sent.
static OWN: [AtomicU32; 65] = [const { AtomicU32::new(0) }; 65];

extern "C" fn own(signum: libc::c_int) {
    OWN[signum as usize].fetch_add(1, Ordering::SeqCst);
}

/// A handler that is called in addition to ours, and after it, once for each signal.
fn called(signum: i32, times: u32) {
    let called = &OWN[signum as usize];
    wait_until("the embedder's own handler is called", || called.load(Ordering::SeqCst) == times);
}

#[test]
fn signal_two_guests() {
    let signum = libc::SIGUSR2;
    install(signum, own);
    let before = installed(signum);
    let guest = |args: &[&str]| {
        let guest = Guest::new(SIGNAL_TWO_GUESTS).arg(signum.to_string());
        args.iter().fold(guest, |guest, arg| guest.arg(*arg)).spawn(|uv| {
            uv.signal(signum);
        })
    };
    let (mut once, mut twice) = (guest(&["once"]), guest(&[]));
    once.expect("ready");
    twice.expect("ready");
    assert_ne!(installed(signum), before);

    kill_self(signum);
    once.expect("called");
    twice.expect("called");
    once.wait().succeeded();
    assert_ne!(installed(signum), before, "one guest still watches it");

    kill_self(signum);
    twice.expect("called");
    twice.wait().succeeded();
    assert_eq!(installed(signum), before, "the previous handler is installed again");
    called(signum, 2);
    kill_self(signum);
    called(signum, 3);

    // And everything once more.
    let mut again = guest(&["once"]);
    again.expect("ready");
    kill_self(signum);
    again.expect("called");
    again.wait().succeeded();
    assert_eq!(installed(signum), before);
    called(signum, 4);
}

#[test]
fn signal_oneshot() {
    let before = installed(libc::SIGWINCH);
    let mut guest = spawn(SIGNAL_ONESHOT, |uv| {
        uv.signal(libc::SIGWINCH);
    });
    guest.expect("send");
    kill_self(libc::SIGWINCH);
    // Repeating handles first, then in order of creation.
    for line in ["lasting", "made lasting", "oneshot", "send"] {
        guest.expect(line);
    }
    kill_self(libc::SIGWINCH);
    for line in ["lasting", "made lasting", "end"] {
        guest.expect(line);
    }
    guest.wait().succeeded();
    assert_eq!(installed(libc::SIGWINCH), before);
}

#[test]
fn signal_stopped() {
    // Nothing happens to a process that does not watch this one.
    let signum = libc::SIGURG;
    let before = installed(signum);
    let mut go = None;
    let mut guest = spawn(SIGNAL_STOPPED, |uv| {
        uv.signal(signum).signal(libc::SIGCONT);
        go = Some(uv.async_sender("go"));
    });
    let go = go.unwrap();
    guest.expect("started");
    assert_ne!(installed(signum), before);
    kill_self(signum);
    guest.expect("called");
    go.send().unwrap();

    guest.expect("stopped");
    assert_eq!(installed(signum), before, "no guest watches it");
    kill_self(signum);
    go.send().unwrap();

    guest.expect("started");
    kill_self(signum);
    guest.expect("called");
    go.send().unwrap();

    guest.expect("another");
    assert_eq!(installed(signum), before);
    kill_self(signum);
    go.send().unwrap();
    let lines = guest.wait().succeeded();
    assert_eq!(lines, ["started", "called", "stopped", "started", "called", "another"]);
}

#[test]
fn signal_two_loops() {
    let mut guest = spawn(SIGNAL_TWO_LOOPS, |uv| {
        uv.signal(35);
    });
    guest.expect("ready");
    kill_self(35);
    guest.expect("loop 0");
    guest.expect("loop 1");
    guest.wait().succeeded();
}

/// Runs a guest that does not check for its signal until it is woken, after the signal was
/// delivered.
fn sent_before_it_looks(guest: Case, signum: i32, times: u32) -> Vec<String> {
    install(signum, own);
    let (_ours, theirs) = stream_pair();
    let mut go = None;
    let mut guest = spawn(guest, |uv| {
        uv.signal(signum).descriptor("socket", theirs).unwrap();
        go = Some(uv.async_sender("go"));
    });
    guest.expect("ready");
    (0..times).for_each(|_| kill_self(signum));
    called(signum, times);
    go.unwrap().send().unwrap();
    guest.wait().succeeded()
}

#[test]
fn signal_counted() {
    assert_eq!(sent_before_it_looks(SIGNAL_COUNTED, 36, 5), ["ready", "1", "2", "3", "4", "5"]);
}

#[test]
fn signal_after_other_events() {
    sent_before_it_looks(SIGNAL_AFTER_OTHER_EVENTS, 49, 1);
}

#[test]
fn signal_withdrawn_while_pending() {
    sent_before_it_looks(SIGNAL_WITHDRAWN_WHILE_PENDING, 50, 1);
}

#[test]
fn signal_started_again() {
    sent_before_it_looks(SIGNAL_STARTED_AGAIN, 51, 1);
}

#[test]
fn signal_flood() {
    const FLOOD: u32 = 20_000;
    install(52, own);
    install(53, own);
    let mut go = None;
    let mut guest = spawn(SIGNAL_FLOOD, |uv| {
        uv.signal(52).signal(53);
        go = Some(uv.async_sender("go"));
    });
    guest.expect("ready");
    for sent in 1..=FLOOD {
        kill_self(52);
        if sent % 100 == 0 {
            // The OS queues only so many.
            called(52, sent);
        }
    }
    kill_self(53);
    called(53, 1);
    go.unwrap().send().unwrap();
    let mut lines = guest.wait().succeeded();
    lines.sort();
    assert_eq!(lines, ["20000 of the flood", "ready", "the other one"]);
}

/// In a process of its own, which inherits the mask of its parent.
#[test]
fn a_signal_that_is_blocked_everywhere_is_delivered_while_it_is_watched() {
    const IN_CHILD: &str = "UV_HANDLES_TEST_BLOCKED";
    if std::env::var_os(IN_CHILD).is_some() {
        return with_a_blocked_signal(54);
    }
    let mut child = own_process("a_signal_that_is_blocked_everywhere_is_delivered_while_it_is_watched");
    child.env(IN_CHILD, "1");
    // SAFETY: it makes one system call.
    unsafe { child.pre_exec(|| block(54)) };
    let child = child.output().unwrap();
    let [stdout, stderr] = [&child.stdout, &child.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    assert!(child.status.success() && stdout.contains("1 passed"), "{}: {stdout}{stderr}", child.status);
}

fn with_a_blocked_signal(signum: i32) {
    // The library's own, by the name that the OS keeps of it.
    let threads = || {
        let all = std::fs::read_dir("/proc/self/task").unwrap();
        let names = all.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
        names.filter(|name| name.starts_with("uv-handles sign")).count()
    };
    let before = installed(signum);
    let guest = |args: &[&str]| {
        let guest = Guest::new(SIGNAL_TWO_GUESTS).arg(signum.to_string());
        args.iter().fold(guest, |guest, arg| guest.arg(*arg)).spawn(|uv| {
            uv.signal(signum);
        })
    };
    // One that was sent earlier is pending.
    kill_self(signum);
    let mut once = guest(&["once"]);
    once.expect("ready");
    once.expect("called");
    once.wait().succeeded();

    let (mut once, mut twice) = (guest(&["once"]), guest(&[]));
    once.expect("ready");
    twice.expect("ready");
    assert_eq!(threads(), 1);
    kill_self(signum);
    once.expect("called");
    twice.expect("called");
    once.wait().succeeded();
    kill_self(signum);
    twice.expect("called");
    twice.wait().succeeded();

    // Blocked again, as before: by default it would end the process.
    assert_eq!((threads(), installed(signum)), (0, before));
    kill_self(signum);
}

#[test]
fn signal_trap() {
    let before = installed(37);
    let mut guest = spawn(SIGNAL_TRAP, |uv| {
        uv.signal(37);
    });
    guest.expect("ready");
    assert_ne!(installed(37), before);
    kill_self(37);
    guest.wait().trapped();
    assert_eq!(installed(37), before);
}

/// Nothing happens when it comes and no guest watches it.
fn ignore(signum: i32) {
    // SAFETY: ignoring a signal that nothing else in this process uses.
    unsafe { libc::signal(signum, libc::SIG_IGN) };
}

#[test]
fn an_ignored_signal_is_ignored_again_afterwards() {
    ignore(38);
    let mut guest = Guest::new(SIGNAL_TWO_GUESTS).arg("38").arg("once").spawn(|uv| {
        uv.signal(38);
    });
    guest.expect("ready");
    kill_self(38);
    guest.wait().succeeded();
    assert_eq!(installed(38), libc::SIG_IGN);
    kill_self(38);
}

extern "C" fn later(_: libc::c_int) {}

/// A handler that is installed over ours while a guest watches is not removed.
#[test]
fn what_was_installed_over_ours_stays() {
    let mut interrupt = None;
    let mut guest = Guest::new(SIGNAL_TWO_GUESTS).arg("48").spawn(|uv| {
        uv.signal(48);
        interrupt = Some(uv.interrupt_handle());
    });
    guest.expect("ready");
    let ours = installed(48);
    install(48, later);
    let theirs = installed(48);
    assert_ne!(theirs, ours);
    interrupt.unwrap().interrupt();
    assert!(matches!(guest.wait().end, End::Trap(_)));
    assert_eq!(installed(48), theirs);
}

#[test]
fn signal_two_signals() {
    let mut guest = spawn(SIGNAL_TWO_SIGNALS, |uv| {
        uv.signal(39).signal(40);
    });
    guest.expect("ready");
    for _ in 0..10 {
        kill_self(39);
        kill_self(40);
    }
    guest.wait().succeeded();
}

#[test]
fn signal_oneshot_again() {
    ignore(41);
    let mut go = None;
    let mut guest = spawn(SIGNAL_ONESHOT_AGAIN, |uv| {
        uv.signal(41);
        go = Some(uv.async_sender("go"));
    });
    guest.expect("started");
    kill_self(41);
    guest.expect("over");
    (0..3).for_each(|_| kill_self(41));
    go.unwrap().send().unwrap();
    guest.expect("started");
    kill_self(41);
    guest.wait().succeeded();
    assert_eq!(installed(41), libc::SIG_IGN);
}

/// Runs the guest with these watches, and sends the signal three times. Each time it must print
/// these lines, in this order.
fn mixed(watches: &[&str], calls: [&[&str]; 3]) {
    let guest = watches.iter().fold(Guest::new(SIGNAL_MIXED), |guest, arg| guest.arg(*arg));
    let mut guest = guest.spawn(|uv| {
        uv.signal(42);
    });
    guest.expect("ready");
    for calls in calls {
        if calls.is_empty() {
            // No guest watches the signal any more.
            guest.expect("end");
            (0..3).for_each(|_| kill_self(42));
            break;
        }
        kill_self(42);
        calls.iter().for_each(|call| guest.expect(call));
    }
    let lines = guest.wait().succeeded();
    assert_eq!(lines.last().unwrap(), "end");
    assert_eq!(lines.len(), 2 + calls.iter().map(|calls| calls.len()).sum::<usize>(), "{lines:?}");
}

#[test]
fn signal_mixed() {
    ignore(42);
    mixed(&["one-shot", "one-shot"], [&["0", "1"], &[], &[]]);
    mixed(&["one-shot", "one-shot", "lasting, closed"], [&["0", "1"], &[], &[]]);
    mixed(&["lasting", "lasting", "one-shot, closed"], [&["0", "1"]; 3]);
    mixed(&["lasting, closed", "lasting, closed", "one-shot", "one-shot"], [&["2", "3"], &[], &[]]);
    mixed(&["lasting, closed", "one-shot", "lasting, closed", "lasting"], [&["3", "1"], &["3"], &["3"]]);
    assert_eq!(installed(42), libc::SIG_IGN);
}

#[test]
fn signal_many_guests() {
    let guest =
        |args: &[&str]| args.iter().fold(Guest::new(SIGNAL_MANY_GUESTS), |guest, arg| guest.arg(*arg));
    let mut ends = Vec::new();
    let mut coming_and_going: Vec<Running> = (0..4)
        .map(|_| {
            guest(&["come-and-go"]).spawn(|uv| {
                uv.signal(45);
                ends.push(uv.async_sender("end"));
            })
        })
        .collect();
    coming_and_going.iter_mut().for_each(|guest| guest.expect("ready"));

    // Three kinds of guests, four of each.
    let kinds: [&[&str]; 3] = [&["43", "43"], &["44"], &["43", "43", "44"]];
    let mut watching: Vec<(Running, usize)> = kinds
        .iter()
        .flat_map(|kind| [*kind; 4])
        .map(|args| {
            let running = guest(args).spawn(|uv| {
                uv.signal(43).signal(44);
            });
            (running, 2 * args.len())
        })
        .collect();
    for _ in 0..2 {
        watching.iter_mut().for_each(|(guest, _)| guest.expect("ready"));
        kill_self(43);
        kill_self(44);
    }
    for (guest, calls) in watching {
        assert_eq!(guest.wait().succeeded().last(), Some(&calls.to_string()));
    }

    ends.iter().for_each(|end| end.send().unwrap());
    for guest in coming_and_going {
        let lines = guest.wait().succeeded();
        assert!(lines[1].parse::<u32>().unwrap() > 0);
    }
    assert_eq!([43, 44, 45].map(installed), [libc::SIG_DFL; 3]);
}

#[test]
fn signal_closed_while_pending() {
    let mut guest = spawn(SIGNAL_CLOSED_WHILE_PENDING, |uv| {
        uv.signal(46);
    });
    guest.expect("ready");
    kill_self(46);
    guest.wait().succeeded();
}

#[test]
fn signal_closed_keeps_the_loop_alive() {
    let mut guest = spawn(SIGNAL_CLOSED_KEEPS_THE_LOOP_ALIVE, |uv| {
        uv.signal(47);
    });
    guest.expect("ready");
    kill_self(47);
    guest.wait().succeeded();
}
