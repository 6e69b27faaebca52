//! Latency: a thread sends an event to the loop and waits for the callback's answer, again and
//! again.

use crate::session::Peer;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// The pause before each round, so that the loop waits with the OS when its event comes.
const PAUSE: Duration = Duration::from_micros(50);

/// The callbacks' answers.
#[derive(Debug)]
pub struct Answers {
    origin: Instant,
    /// The time of the last answer, in nanoseconds from the origin.
    at: AtomicU64,
    given: AtomicU64,
    waits: Thread,
}

impl Answers {
    /// Called by the callback.
    pub fn answer(&self) {
        let at = u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.at.store(at, Ordering::Relaxed);
        self.given.fetch_add(1, Ordering::Release);
        self.waits.unpark();
    }
}

/// A thread that sends `times` events to the loop, and waits for the answer to each. `one_way` is
/// the time from the send to the callback, and `round_trip` the time until the thread sees the
/// answer.
///
/// # Panics
///
/// If the OS has no threads.
pub fn round_trips(times: u64, mut deed: impl FnMut() + Send + 'static) -> (Arc<Answers>, Peer) {
    let (send, receive) = std::sync::mpsc::channel();
    let peer = Peer::new(move |gate| {
        // Signals have to be delivered to the thread of the loop.
        block_signals();
        let origin = Instant::now();
        let answers = Arc::new(Answers {
            origin,
            at: AtomicU64::new(0),
            given: AtomicU64::new(0),
            waits: thread::current(),
        });
        send.send(answers.clone()).expect("somebody waits for it");
        let (mut one_way, mut round_trip) = (Vec::new(), Vec::new());
        if gate.recv().is_err() {
            return Vec::new();
        }
        for given in 1..=times {
            thread::sleep(PAUSE);
            let begun = Instant::now();
            deed();
            while answers.given.load(Ordering::Acquire) < given {
                thread::park();
            }
            round_trip.push(begun.elapsed());
            let at = origin + Duration::from_nanos(answers.at.load(Ordering::Relaxed));
            one_way.push(at.saturating_duration_since(begun));
        }
        let mut figures = percentiles("one_way", one_way);
        figures.extend(percentiles("round_trip", round_trip));
        figures
    });
    (receive.recv().expect("the thread begins with it"), peer)
}

fn percentiles(name: &str, mut all: Vec<Duration>) -> Vec<(String, f64)> {
    all.sort_unstable();
    let at = |percent: usize| all.get(all.len() * percent / 100).map_or(0.0, |found| found.as_nanos() as f64);
    vec![(format!("{name}_p50_ns"), at(50)), (format!("{name}_p99_ns"), at(99))]
}

fn block_signals() {
    // SAFETY: the set is filled before it is used, and lives as long as the calls.
    unsafe {
        let mut all = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
        libc::sigfillset(all.as_mut_ptr());
        let result = libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), std::ptr::null_mut());
        assert_eq!(result, 0, "the thread blocks signals");
    }
}
