//! A model of the OS: a wait that a waker ends, as an edge-triggered eventfd in a poller does.

#[path = "../../../../host/wasmtime/src/os/signal_log.rs"]
#[allow(missing_debug_implementations, reason = "some of loom's types have none")]
#[allow(dead_code, reason = "the models do not use all of it")]
pub(crate) mod signal_log;
pub(crate) mod sync;

use loom::sync::{Condvar, Mutex};
use std::io;

/// Ends a wait: the one in progress, or else the next one.
#[derive(Debug, Default)]
pub(crate) struct Waker {
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Debug, Default)]
struct State {
    pending: bool,
}

impl Waker {
    pub(crate) fn wake(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.pending = true;
        self.woken.notify_one();
        Ok(())
    }

    pub(crate) fn wait(&self) {
        let mut state = self.state.lock().unwrap();
        while !state.pending {
            state = self.woken.wait(state).unwrap();
        }
        state.pending = false;
    }

    /// Whether a wait would end at once.
    pub(crate) fn pending(&self) -> bool {
        self.state.lock().unwrap().pending
    }
}
