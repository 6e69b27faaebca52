//! The log of signals: handlers on several threads write it while guests read it.

use crate::check;
use crate::os::Waker;
use crate::os::signal_log::SignalLog;
use loom::sync::Arc;
use loom::sync::atomic::AtomicU64;
use loom::thread;

/// The state that handlers and readers share: the log, and the eventfd that ends a reader's wait.
struct Signals<const LENGTH: usize> {
    log: SignalLog<LENGTH>,
    wake: Waker,
}

impl<const LENGTH: usize> Signals<LENGTH> {
    fn new() -> Arc<Signals<LENGTH>> {
        let entries = std::array::from_fn(|_| AtomicU64::new(0));
        Arc::new(Signals { log: SignalLog { head: AtomicU64::new(0), entries }, wake: Waker::default() })
    }

    /// The handler's work.
    fn deliver(&self, signum: i32) {
        self.log.append(signum);
        self.wake.wake().unwrap();
    }

    /// The guest's work: read the log, and wait if entries are still missing.
    fn read_to(&self, end: u64) -> Vec<i32> {
        let (mut position, mut seen) = (0, Vec::new());
        loop {
            if position != self.log.head() {
                self.log.read(&mut position, |signum| seen.push(signum));
            }
            if position == end {
                return seen;
            }
            self.wake.wait();
        }
    }
}

/// Two threads are interrupted by signals, one of them twice.
pub fn no_delivery_is_lost() {
    check(Some(2), || {
        let signals = Signals::<4>::new();
        let handlers = [vec![1], vec![2, 3]].map(|signums| {
            let signals = signals.clone();
            thread::spawn(move || signums.into_iter().for_each(|signum| signals.deliver(signum)))
        });
        let seen = signals.read_to(3);
        let place = |signum| seen.iter().position(|&it| it == signum).unwrap();
        assert_eq!(seen.len(), 3);
        assert!(seen.contains(&1) && place(2) < place(3), "in the order of delivery");
        handlers.into_iter().for_each(|handler| handler.join().unwrap());
    });
}

/// The log wraps around while a handler is kept from writing its entry, and while a reader reads.
/// Deliveries are lost then, but never the readers' place, and none is reported twice.
pub fn a_log_that_overflows_goes_on() {
    check(Some(2), || {
        let signals = Signals::<1>::new();
        let handlers = [vec![1], vec![2, 3]].map(|signums| {
            let signals = signals.clone();
            thread::spawn(move || signums.into_iter().for_each(|signum| signals.deliver(signum)))
        });
        let seen = signals.read_to(3);
        handlers.into_iter().for_each(|handler| handler.join().unwrap());
        let mut distinct = seen.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), seen.len());
        assert!(!seen.is_empty(), "the last one is never lost");
    });
}
