//! The log of signals: handlers on several threads write it while guests read it.

use crate::check;
use crate::os::Waker;
use crate::os::signal_log::{Position, SignalLog};
use loom::sync::Arc;
use loom::sync::atomic::AtomicU64;
use loom::thread;

/// One more than the largest signal.
const SIGNALS: usize = 4;

/// The state that handlers and readers share: the log, and the eventfd that ends a reader's wait.
struct Signals<const LENGTH: usize> {
    log: SignalLog<SIGNALS, LENGTH>,
    wake: Waker,
}

impl<const LENGTH: usize> Signals<LENGTH> {
    fn new() -> Arc<Signals<LENGTH>> {
        let counts = std::array::from_fn(|_| AtomicU64::new(0));
        let entries = std::array::from_fn(|_| AtomicU64::new(0));
        let log = SignalLog { counts, head: AtomicU64::new(0), entries };
        Arc::new(Signals { log, wake: Waker::default() })
    }

    /// The handler's work.
    fn deliver(&self, signum: i32) {
        self.log.append(signum);
        self.wake.wake().unwrap();
    }

    /// The guest's work: read the log, and wait if deliveries are still missing.
    fn read_until(&self, mut position: Position, end: usize) -> Vec<i32> {
        let mut seen = Vec::new();
        loop {
            if self.log.has_more(&position) {
                for (signum, count) in self.log.read(&mut position, 1..SIGNALS as i32) {
                    (0..count).for_each(|_| seen.push(signum));
                }
            }
            if seen.len() >= end {
                return seen;
            }
            self.wake.wait();
        }
    }
}

/// Two threads are interrupted by signals, one of them twice. Every delivery is read once, in the
/// order of its thread as far as the log goes back.
fn every_delivery_is_read<const LENGTH: usize>() -> Vec<i32> {
    let signals = Signals::<LENGTH>::new();
    let mut position = Position::default();
    (1..SIGNALS as i32).for_each(|signum| signals.log.begin(&mut position, signum));
    let handlers = [vec![1], vec![3, 2]].map(|signums| {
        let signals = signals.clone();
        thread::spawn(move || signums.into_iter().for_each(|signum| signals.deliver(signum)))
    });
    let seen = signals.read_until(position, 3);
    handlers.into_iter().for_each(|handler| handler.join().unwrap());
    let mut sorted = seen.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, [1, 2, 3]);
    seen
}

/// Every delivery is read once, and those of one handler in their order.
pub fn no_delivery_is_lost() {
    check(Some(2), || {
        let seen = every_delivery_is_read::<4>();
        let place = |signum| seen.iter().position(|&it| it == signum);
        assert!(place(3) < place(2), "{seen:?}");
    });
}

/// The log wraps around while a handler is kept from writing its entry, and while a reader reads.
/// Only the order is lost then.
pub fn a_log_that_overflows_goes_on() {
    check(Some(2), || drop(every_delivery_is_read::<1>()));
}
