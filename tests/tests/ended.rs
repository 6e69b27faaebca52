//! A guest that traps or exits in a callback: everything that it had is released, and the other
//! guests of the process are not affected. One test only, because it counts the descriptors of the
//! process.

// Looks in /proc for what is left behind.
#![cfg(target_os = "linux")]

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use uv_handles_host::{AsyncSender, SendError};
use uv_handles_tests::os::{connect, installed, kill_self, listener};
use uv_handles_tests::*;

foreach_ended!(assert_test_exists);

/// The signal that the guests watch.
const SIGNUM: i32 = 43;

/// The name of an eventfd in /proc.
const EVENTFD: &str = "anon_inode:[eventfd]";

/// The files that this process has open.
fn descriptors() -> Vec<String> {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap();
    // The link of the descriptor that reads the directory may be gone by then.
    let links = entries.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    let mut links: Vec<String> = links.map(|link| link.display().to_string()).collect();
    links.sort();
    links
}

/// The number of eventfds that this process has open. `ended_in_a_callback` compares them once, at
/// its end: the first loop that waits for signals makes one for the life of the process.
fn eventfds() -> usize {
    descriptors().iter().filter(|link| *link == EVENTFD).count()
}

/// The other files that this process has open.
fn others() -> Vec<String> {
    let mut links = descriptors();
    links.retain(|link| link != EVENTFD);
    links
}

/// A guest, and its senders and peers outside.
struct Reached {
    guest: Running,
    go: AsyncSender,
    end: AsyncSender,
    address: SocketAddr,
}

impl Reached {
    fn start(way: &str, kind: &str) -> Reached {
        let (clients, address) = listener();
        let mut granted = None;
        let guest = Guest::new(ENDED_IN_A_CALLBACK).arg(way).arg(kind).arg(SIGNUM.to_string());
        let mut guest = guest.spawn(|uv| {
            uv.descriptor("clients", clients).unwrap().signal(SIGNUM);
            granted = Some((uv.async_sender("go"), uv.async_sender("end")));
        });
        guest.expect("ready");
        let (go, end) = granted.unwrap();
        Reached { guest, go, end, address }
    }
}

/// A guest ends in its callback of this kind, and nothing of it is left.
fn ends(way: &str, kind: &str) {
    let before = others();
    let Reached { guest, go, end, address } = Reached::start(way, kind);
    let mut client = None;
    match kind {
        "async" => go.send().unwrap(),
        "signal" => kill_self(SIGNUM),
        "poll" => client = Some(connect(address)),
        // The other kinds need no event from outside.
        _ => {}
    }
    let output = guest.wait();
    match way {
        "trap" => output.trapped(),
        // WASI 0.2 knows success and failure only.
        _ => assert!(matches!(output.end, End::Exit(1)), "{output:?}"),
    }
    assert_eq!(output.lines, ["ready"], "nothing of it runs any more");
    assert_eq!((go.send(), end.send()), (Err(SendError::Closed), Err(SendError::Closed)));
    assert!(TcpStream::connect(address).is_err(), "the listener is still open");
    if let Some(mut client) = client {
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "the accepted connection is closed");
    }
    assert_eq!(others(), before, "{way} in {kind}");
}

const KINDS: [&str; 8] = ["async", "poll", "signal", "timer", "idle", "prepare", "check", "close"];

#[test]
fn ended_in_a_callback() {
    let action = installed(SIGNUM);
    // The first guest allocates what is made once for the process.
    let Reached { guest, end, .. } = Reached::start("stays", "async");
    end.send().unwrap();
    guest.wait().succeeded();
    let eventfds_before = eventfds();
    for way in ["trap", "exit"] {
        for kind in KINDS {
            ends(way, kind);
            assert_eq!(installed(SIGNUM), action, "{way} in {kind}");
        }
    }

    // With other guests beside it, whose callbacks continue.
    let mut in_signal = Reached::start("stays", "signal");
    let mut in_poll = Reached::start("stays", "poll");
    let mut in_async = Reached::start("stays", "async");
    let ours = installed(SIGNUM);
    assert_ne!(ours, action);
    for way in ["trap", "exit"] {
        for kind in KINDS {
            ends(way, kind);
            assert_eq!(installed(SIGNUM), ours, "others watch it: {way} in {kind}");
            if kind == "signal" {
                in_signal.guest.expect("signal");
            }
            kill_self(SIGNUM);
            in_signal.guest.expect("signal");
            let client = connect(in_poll.address);
            in_poll.guest.expect("poll");
            drop(client);
            in_async.go.send().unwrap();
            in_async.guest.expect("async");
        }
    }
    for Reached { guest, end, .. } in [in_signal, in_poll, in_async] {
        end.send().unwrap();
        let lines = guest.wait().succeeded();
        assert_eq!(lines.last().map(String::as_str), Some("the loop has ended"));
    }
    assert_eq!(installed(SIGNUM), action);
    let more = eventfds() - eventfds_before;
    assert!(more <= 1, "{more} eventfds are left");
}
