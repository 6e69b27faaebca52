//! A well-behaved guest beside attackers: it must see no wrong event and keep its time.
//!
//! It is `hostile_neighbour`, on a thread of its own, with a timer of 10 ms. A native thread waits
//! for 10 ms again and again beside it. The load of the machine
//! affects both alike, so the attackers must not change the ratio of their ticks.

use crate::os::{SIGIO, stream_pair};
use crate::{HOSTILE_NEIGHBOUR, spawn};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use uv_handles_host::SendError;

/// The period of both timers.
const PERIOD: Duration = Duration::from_millis(10);

/// The least number of native ticks for an attack: it is repeated until then.
const TICKS: u32 = 30;

/// A signal that is granted to the neighbor alone and that is never sent.
const NEVER_SENT: i32 = SIGIO;

/// Runs an attack, again and again for a while, beside the well-behaved guest.
///
/// # Panics
///
/// If that guest sees a wrong event, or if it ticks less than half as often as a native thread.
pub fn beside(mut attack: impl FnMut()) {
    let (mut peer, theirs) = stream_pair();
    let mut senders = None;
    let mut neighbour = spawn(HOSTILE_NEIGHBOUR, |uv| {
        uv.descriptor("peer", theirs).unwrap().signal(NEVER_SENT);
        senders = Some((uv.async_sender("wake"), uv.async_sender("stop")));
    });
    let (wake, stop) = senders.unwrap();
    neighbour.expect("ready");

    let native = AtomicU32::new(0);
    let mut attacks: u32 = 0;
    thread::scope(|scope| {
        // Dropped at the end of the scope's work, also by a panic: then the thread ends.
        let (running, ended) = mpsc::channel::<()>();
        let native = &native;
        scope.spawn(move || {
            while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                native.fetch_add(1, Ordering::Relaxed);
            }
        });
        let _running = running;
        while native.load(Ordering::Relaxed) < TICKS {
            attack();
            attacks += 1;
            // Its other handles work too: it sends back each byte, of which it knows the order.
            let byte = attacks as u8;
            peer.write_all(&[byte]).expect("the neighbour lives");
            let mut back = [0];
            peer.read_exact(&mut back).expect("the neighbour answers");
            assert_eq!(back, [byte]);
            wake.send().expect("the neighbour lives");
        }
    });

    stop.send().expect("the neighbour lives");
    let ticks: u32 = neighbour.line().parse().expect("it prints how often its timer was called");
    neighbour.wait().succeeded();
    assert_eq!(wake.send(), Err(SendError::Closed));
    let native = native.into_inner();
    assert!(ticks >= native / 2, "{ticks} ticks for {native} of a native thread, in {attacks} attacks");
}
