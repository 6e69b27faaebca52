//! Waiting for console control events, as signals.

use crate::os::native::console_events::{self, SIGHUP};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// The events that are waited for.
static EVENTS: Mutex<Events> = Mutex::new(Events { wanted: Vec::new(), arrived: VecDeque::new() });

/// There is a new one.
static ARRIVED: Condvar = Condvar::new();

struct Events {
    wanted: Vec<i32>,
    arrived: VecDeque<i32>,
}

/// Signals that a dedicated thread waits for.
#[derive(Clone, Copy)]
pub struct SignalSet;

impl SignalSet {
    /// Keeps signals for [`SignalSet::next`] from now on. Those that this system does not have never
    /// arrive.
    pub fn block(signums: impl IntoIterator<Item = i32>) -> SignalSet {
        let mut events = events();
        events.wanted.extend(signums);
        if !events.wanted.is_empty()
            && let Err(error) = console_events::add(on_event)
        {
            tracing::error!(%error, "no console control event can be caught");
        }
        SignalSet
    }

    /// Waits for the next of these signals.
    pub fn next(&self) -> i32 {
        let mut events = events();
        loop {
            match events.arrived.pop_front() {
                Some(signum) => return signum,
                None => events = ARRIVED.wait(events).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// The handler.
unsafe extern "system" fn on_event(event: u32) -> i32 {
    let mut events = events();
    let Some(signum) = console_events::signal(event).filter(|signum| events.wanted.contains(signum)) else {
        return 0;
    };
    events.arrived.push_back(signum);
    drop(events);
    ARRIVED.notify_one();
    if signum == SIGHUP {
        // The system ends the process when this function returns, or some seconds later. The guest
        // has until then.
        loop {
            thread::park();
        }
    }
    1
}

/// Locks the events. They are valid at any moment, so poisoning is ignored.
fn events() -> MutexGuard<'static, Events> {
    EVENTS.lock().unwrap_or_else(PoisonError::into_inner)
}
