//! A run of the guest that makes random calls, with a grant of every kind and with events from
//! outside.

use crate::os::{SIGURG, SIGWINCH, connect, kill_self, listener, refusing_address, stream_pair};
use crate::plain::{Plain, Time};
use crate::{Guest, HOSTILE_RANDOM_CALLS, Running};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::UdpSocket;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use uv_handles_host::AsyncSender;

/// The interval between events from outside.
const PERIOD: Duration = Duration::from_micros(100);

/// The number of bytes that the guest gets at once.
const READ_LIMIT: u32 = 1_000;

/// Makes this many calls, chosen by the seed, and returns how often each function was called. Seeds
/// that are multiples of eight run in real time, which takes longer and differs from run to run.
///
/// # Panics
///
/// If the guest finds an answer wrong.
pub fn random_calls(seed: u64, calls: u64) -> BTreeMap<String, u64> {
    let real_time = seed.is_multiple_of(8);
    let (mut ours, theirs) = stream_pair();
    ours.set_nonblocking(true).unwrap();
    let (listener, address) = listener();
    // More than the guest may have open: they wait to be accepted.
    let clients = [(); 10].map(|()| connect(address));
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let udp_address = udp.local_addr().unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (reads, mut reads_from) = std::io::pipe().unwrap();
    let (written_to, writes) = std::io::pipe().unwrap();
    reads_from.write_all(&[1; 10_000]).unwrap();
    let file = File::open(std::env::current_exe().unwrap()).unwrap();

    let mut wake_ups = None;
    let longest_wait = if real_time { 1 } else { i32::MAX - 1 };
    let guest = Guest::new(HOSTILE_RANDOM_CALLS)
        .arg(seed.to_string())
        .arg(calls.to_string())
        .arg(longest_wait.to_string())
        .arg(READ_LIMIT.to_string())
        .spawn(|uv| {
            uv.virtual_time(!real_time).on_denied(|_| {}).signal(SIGWINCH).signal(SIGURG);
            uv.limits(|limits| {
                (limits.handles, limits.loops) = (40, 5);
                (limits.descriptors, limits.read_bytes) = (8, READ_LIMIT);
                (limits.mailbox_messages, limits.mailbox_bytes) = (10, 1_000);
            });
            uv.descriptor("stream", theirs).unwrap().descriptor("listener", listener).unwrap();
            uv.descriptor("udp", udp).unwrap().descriptor("file", file).unwrap();
            uv.descriptor("reads", reads).unwrap().descriptor("writes", writes).unwrap();
            wake_ups = Some(["wake", "tick"].map(|name| uv.async_sender(name)));
            // A guest may be connected with itself.
            let wake = uv.async_sender("wake");
            uv.async_connection("self", &wake);
        });
    if seed.is_multiple_of(2) {
        drop((reads_from, written_to));
    }

    let wake_ups = wake_ups.expect("the guest is granted them before it starts");
    thread::scope(|scope| {
        let (running, ended) = mpsc::channel::<()>();
        scope.spawn(move || {
            let mut buffer = [0; 100_000];
            while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                // Operations that the guest has made impossible are refused.
                let _ = wake_ups.each_ref().map(AsyncSender::send);
                let _ = wake_ups[0].send_message([4; 100]);
                let _ = (ours.write(&[2; 100]), ours.read(&mut buffer));
                let _ = sender.send_to(&[3; 100], udp_address);
                kill_self(SIGWINCH);
            }
        });
        let counts = counts(guest, seed);
        drop((running, clients));
        counts
    })
}

/// The same for a guest that is composed with the adapter, on a runtime that has WASI only. Its
/// sockets and streams are real, its time is virtual.
///
/// # Panics
///
/// If the guest finds an answer wrong.
pub fn random_calls_composed(seed: u64, calls: u64) -> BTreeMap<String, u64> {
    let (listener, address) = listener();
    listener.set_nonblocking(true).unwrap();
    let (_kept, refuses) = refusing_address();
    let (stdin, mut lines) = std::io::pipe().unwrap();
    lines.write_all(&[1; 10_000]).unwrap();
    let guest = Plain::composed(HOSTILE_RANDOM_CALLS).time(Time::Virtual).stdin_pipe(stdin);
    let guest = [seed, calls, i32::MAX as u64 - 1, 65_536]
        .into_iter()
        .fold(guest, |guest, number| guest.arg(number.to_string()))
        .grants(&format!(
            "--stdin --stderr-as writes --listen listener=127.0.0.1:0 --connect stream={address} \
             --connect reads={address} --connect udp={refuses}"
        ))
        .spawn();
    if seed.is_multiple_of(2) {
        drop(lines);
    }
    thread::scope(|scope| {
        let (running, ended) = mpsc::channel::<()>();
        scope.spawn(move || {
            let (mut peers, mut buffer) = (Vec::new(), [0; 100_000]);
            while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                if let Ok((peer, _)) = listener.accept() {
                    peer.set_nonblocking(true).unwrap();
                    peers.push(peer);
                }
                for mut peer in &peers {
                    let _ = (peer.write(&[2; 100]), peer.read(&mut buffer));
                }
                // Some end, some are reset because of unread bytes.
                if peers.len() > 4 {
                    peers.remove(0);
                }
            }
        });
        let counts = counts(guest, seed);
        drop(running);
        counts
    })
}

fn counts(guest: Running, seed: u64) -> BTreeMap<String, u64> {
    let output = guest.wait();
    // Those that end with a trap have printed everything before.
    let lines = match seed % 3 {
        2 => {
            output.trapped();
            output.lines
        }
        _ => output.succeeded(),
    };
    let count = |line: &String| {
        let (function, count) = line.split_once(' ')?;
        Some((function.to_owned(), count.parse().ok()?))
    };
    lines.iter().map(|line| count(line).expect("a function and a number")).collect()
}
