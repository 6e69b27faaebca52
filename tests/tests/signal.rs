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
//! | `what_was_installed_over_ours_stays` | 39 |
//! | `signal_after_other_events` | 40 |
//! | `signal_closed_while_pending` | 41 |
//! | `signal_started_again` | 42 |

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use uv_handles_tests::os::{install, installed, kill_self, stream_pair};
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
    assert_eq!(*denied.lock().unwrap(), expected, "what nobody can watch was not denied");
}

/// How often the embedder's own handler was called, by signal. A signal for the process may be
/// delivered on any thread, so this changes at some time after the signal was sent.
static OWN: [AtomicU32; 65] = [const { AtomicU32::new(0) }; 65];

extern "C" fn own(signum: libc::c_int) {
    OWN[signum as usize].fetch_add(1, Ordering::SeqCst);
}

/// It is called beside ours, and after it, once for each signal.
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

    // And all over again.
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
    // Lasting ones first, then in order of making.
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
        go = Some(uv.wake_up("go"));
    });
    let go = go.unwrap();
    guest.expect("started");
    assert_ne!(installed(signum), before);
    kill_self(signum);
    guest.expect("called");
    go.send().unwrap();

    guest.expect("stopped");
    assert_eq!(installed(signum), before, "nobody watches it");
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

/// Runs a guest that does not look for its signal until it is woken, by when that has been delivered.
fn sent_before_it_looks(name: &str, signum: i32, times: u32) -> Vec<String> {
    install(signum, own);
    let (_ours, theirs) = stream_pair();
    let mut go = None;
    let mut guest = spawn(name, |uv| {
        uv.signal(signum).descriptor("socket", theirs).unwrap();
        go = Some(uv.wake_up("go"));
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
    sent_before_it_looks(SIGNAL_AFTER_OTHER_EVENTS, 40, 1);
}

#[test]
fn signal_closed_while_pending() {
    sent_before_it_looks(SIGNAL_CLOSED_WHILE_PENDING, 41, 1);
}

#[test]
fn signal_started_again() {
    sent_before_it_looks(SIGNAL_STARTED_AGAIN, 42, 1);
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

#[test]
fn an_ignored_signal_is_ignored_again_afterwards() {
    // SAFETY: ignoring a signal that nothing else in this process uses.
    unsafe { libc::signal(38, libc::SIG_IGN) };
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

/// What somebody has installed while a guest watches is theirs, and is not taken away.
#[test]
fn what_was_installed_over_ours_stays() {
    let mut interrupt = None;
    let mut guest = Guest::new(SIGNAL_TWO_GUESTS).arg("39").spawn(|uv| {
        uv.signal(39);
        interrupt = Some(uv.interrupt_handle());
    });
    guest.expect("ready");
    let ours = installed(39);
    install(39, later);
    let theirs = installed(39);
    assert_ne!(theirs, ours);
    interrupt.unwrap().interrupt();
    assert!(matches!(guest.wait().end, End::Trap(_)));
    assert_eq!(installed(39), theirs);
}
