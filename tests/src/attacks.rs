//! The attacks of the hostile guests, each once: `tests/hostile.rs` runs every one beside a
//! well-behaved guest, `tests/hostile_leaks.rs` looks for what they leave behind.

use crate::os::{SIGPWR, SIGWINCH, kill_self, stream_pair};
use crate::*;
use std::io::Write;
use std::net::UdpSocket;
use std::thread;
use uv_handles_host::{Interrupted, SendError};
use wasmtime::Trap;

/// A signal for handles that only have to be there. A signal reaches every guest of the process that
/// watches it: were it one that another attack sends again and again, such as SIGWINCH, a run of
/// thousands of its handles would not come to an end, as in libuv.
pub const NEVER_SENT: i32 = SIGPWR;

/// All of them by name.
pub const ATTACKS: [(&str, fn()); 15] = [
    ("floods", floods),
    ("flood of signals", flood_of_signals),
    ("flood beyond wasmtime's limit", flood_beyond),
    ("tokens", tokens),
    ("stale", stale),
    ("forged", forged),
    ("spins", spins),
    ("memory", memory),
    ("writes", writes),
    ("sends", sends),
    ("timers", timers),
    ("reads", reads),
    ("drops", drops),
    ("runs", runs),
    ("names", names),
];

/// Handles and loops up to the limits, given up in every way.
pub fn floods() {
    for how in ["handles", "loops", "nothing"] {
        flood(how);
    }
}

/// As many handles as the limit allows, of the kind that costs the host most.
pub fn flood_of_signals() {
    flood("signals");
}

fn flood(how: &str) {
    let output = Guest::new(HOSTILE_FLOODS).arg(how).run(|uv| {
        uv.signal(NEVER_SENT);
    });
    output.succeeded();
}

/// The embedder allows more than wasmtime does: the guest traps there.
pub fn flood_beyond() {
    let output = Guest::new(HOSTILE_FLOODS).arg("beyond").run(|uv| {
        uv.signal(NEVER_SENT).limits(|limits| limits.handles = 1_000_000);
    });
    output.trapped();
}

/// Tokens reused and duplicated.
pub fn tokens() {
    run(HOSTILE_TOKENS, |_| {}).succeeded();
}

/// Calls after closing, and with handles of another loop.
pub fn stale() {
    let (_ours, theirs) = stream_pair();
    let output = run(HOSTILE_STALE, |uv| {
        uv.virtual_time(true).descriptor("socket", theirs).unwrap();
    });
    output.succeeded();
}

/// Numbers of resources that are not the guest's, and invalid text.
pub fn forged() {
    for what in ["unknown", "zero", "loop", "kind", "dropped", "twice", "text", "length", "much"] {
        let output = Guest::new(HOSTILE_FORGED).arg(what).run(|_| {});
        output.trapped();
        assert!(output.lines.is_empty(), "{what}: {:?}", output.lines);
    }
}

/// A callback that never returns, ended by an epoch.
pub fn spins() {
    let mut guest = Guest::new(HOSTILE_SPINS).configuration(Configuration::Epochs).spawn(|_| {});
    guest.expect("spinning");
    end_epoch();
    let output = guest.wait();
    let End::Trap(error) = &output.end else { panic!("{output:?}") };
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::Interrupt), "{error:?}");
    assert_eq!(output.lines, ["spinning"]);
}

/// Memory up to the store's limit.
pub fn memory() {
    const LIMIT: usize = 32 << 20;
    let output = Guest::new(HOSTILE_MEMORY).max_memory(LIMIT).run(|_| {});
    output.trapped();
    let [growing, taken, working] = &output.lines[..] else { panic!("{output:?}") };
    assert_eq!([growing, working], ["growing", "working"]);
    // The rest is its stack, its data, and what its allocator could not use.
    let taken: usize = taken.parse().unwrap();
    assert!((LIMIT / 4 * 3..LIMIT).contains(&taken), "{taken} of {LIMIT} bytes");
}

/// A peer that never reads.
pub fn writes() {
    let (_deaf, theirs) = stream_pair();
    let mut interrupt = None;
    let mut guest = spawn(HOSTILE_WRITES, |uv| {
        uv.descriptor("deaf", theirs).unwrap();
        interrupt = Some(uv.interrupt_handle());
    });
    let written: u64 = guest.line().parse().unwrap();
    assert!((1..1 << 30).contains(&written), "the system holds {written} bytes");
    guest.expect("stuck");
    interrupt.unwrap().interrupt();
    let output = guest.wait();
    let End::Trap(error) = &output.end else { panic!("{output:?}") };
    assert_eq!(error.downcast_ref::<Interrupted>(), Some(&Interrupted), "{error:?}");
}

/// 100,000 sends, from inside and from outside.
pub fn sends() {
    let mut senders = None;
    let mut guest = spawn(HOSTILE_SENDS, |uv| {
        senders = Some((uv.async_sender("wake"), uv.async_sender("last")));
    });
    let (wake, last) = senders.unwrap();
    guest.expect("sending");
    for _ in 0..100_000 {
        wake.send().unwrap();
    }
    last.send().unwrap();
    guest.wait().succeeded();
    assert_eq!(wake.send(), Err(SendError::Closed));
}

/// Timers that are always due.
pub fn timers() {
    let mut stop = None;
    let mut guest = spawn(HOSTILE_TIMERS, |uv| {
        stop = Some(uv.async_sender("stop"));
    });
    guest.expect("busy");
    stop.unwrap().send().unwrap();
    guest.wait().succeeded();
}

/// Absurd lengths.
pub fn reads() {
    let (mut ours, theirs) = stream_pair();
    ours.write_all(&[7; 10_000]).unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..7 {
        sender.send_to(&[7; 2_000], udp.local_addr().unwrap()).unwrap();
    }
    let output = run(HOSTILE_READS, |uv| {
        uv.limits(|limits| limits.read_bytes = 1_000);
        uv.descriptor("stream", theirs).unwrap().descriptor("datagrams", udp).unwrap();
    });
    output.succeeded();
}

/// Resources dropped in every order, with signals and wake-ups coming in meanwhile.
pub fn drops() {
    let (_ours, theirs) = stream_pair();
    let mut wake = None;
    let guest = spawn(HOSTILE_DROPS, |uv| {
        uv.descriptor("socket", theirs).unwrap().signal(SIGWINCH);
        wake = Some(uv.async_sender("wake"));
    });
    let wake = wake.unwrap();
    let output = thread::scope(|scope| {
        let guest = scope.spawn(|| guest.wait());
        while !guest.is_finished() {
            // It is open and closed all the time.
            let _ = wake.send();
            kill_self(SIGWINCH);
            thread::yield_now();
        }
        guest.join().unwrap()
    });
    assert_eq!(output.succeeded(), ["30240 orders"], "7! orders at 6 stages");
}

/// Runs inside callbacks.
pub fn runs() {
    run(HOSTILE_RUNS, |_| {}).succeeded();
}

/// Names that were not granted.
pub fn names() {
    let (_ours, theirs) = stream_pair();
    let output = run(HOSTILE_NAMES, |uv| {
        uv.descriptor("socket", theirs).unwrap();
        uv.descriptor("datagrams", UdpSocket::bind("127.0.0.1:0").unwrap()).unwrap();
        uv.async_sender("wake");
        uv.on_denied(|_| {});
    });
    output.succeeded();
}
