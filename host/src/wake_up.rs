//! Waking a guest from outside: the sender that the embedder holds, and the guest's named async
//! handle at the other end.

use crate::os::Waker;
use crate::sync::{Arc, AtomicBool, Mutex, MutexGuard, Ordering, PoisonError};
use thiserror::Error;
use uv_handles_core::HandleId;

/// Sends a guest's async handle of a granted name, from any thread, as libuv's uv_async_send.
///
/// Made by [`UvCtxBuilder::wake_up`](crate::UvCtxBuilder::wake_up), before the guest exists. Clones
/// send the same handle.
#[derive(Debug, Clone)]
pub struct AsyncSender {
    shared: Arc<Shared>,
}

/// Why a wake-up was refused. Nothing has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The guest has not made an async handle with this name yet.
    #[error("the guest has not opened the wake-up yet")]
    NotOpen,
    /// The guest has closed its async handle, or the guest is gone.
    #[error("the guest has closed the wake-up")]
    Closed,
}

#[derive(Debug)]
struct Shared {
    name: String,
    state: Mutex<State>,
    /// Shared by all wake-ups of the guest: one of them has been sent.
    sent: Arc<AtomicBool>,
}

#[derive(Debug)]
enum State {
    NotOpen,
    Open(Target),
    Closed,
}

/// The handle that a wake-up reaches now.
#[derive(Debug)]
struct Target {
    handle: HandleId,
    /// Ends the wait of the handle's loop.
    waker: Arc<Waker>,
    pending: bool,
}

impl Shared {
    /// A panic elsewhere can not leave the state half-written.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncSender {
    /// Asks for the callback of the guest's async handle. It never blocks. Sends before the callback
    /// begins are answered by one callback; none that was accepted is lost.
    ///
    /// # Errors
    ///
    /// [`SendError::NotOpen`] before the guest has made the handle, [`SendError::Closed`] once it
    /// has closed it. A guest may open the name again later.
    pub fn send(&self) -> Result<(), SendError> {
        let mut state = self.shared.state();
        let target = match &mut *state {
            State::Open(target) => target,
            State::NotOpen => return Err(SendError::NotOpen),
            State::Closed => return Err(SendError::Closed),
        };
        if !target.pending {
            target.pending = true;
            self.shared.sent.store(true, Ordering::Release);
            // The flag above is read before every wait, so a loop that is not waiting sees it even
            // if the system refuses the write, and this is the only way to report that.
            if let Err(error) = target.waker.wake() {
                tracing::error!(%error, name = self.name(), "a waiting guest can not be woken");
            }
        }
        Ok(())
    }

    /// Whether the guest has the async handle open: whether [`send`](AsyncSender::send) would be
    /// accepted now.
    pub fn is_open(&self) -> bool {
        matches!(*self.shared.state(), State::Open(_))
    }

    /// The name that was granted.
    pub fn name(&self) -> &str {
        &self.shared.name
    }
}

/// The wake-ups that were granted to a guest: the receiving end.
#[derive(Debug, Default)]
pub(crate) struct WakeUps {
    granted: Vec<Arc<Shared>>,
    /// Those of them that are open, by the place in `granted`.
    open: Vec<(HandleId, usize)>,
    sent: Arc<AtomicBool>,
}

/// Why a name can not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenError {
    NotGranted,
    Busy,
}

impl WakeUps {
    /// Grants a name. Granting it again gives another sender of the same.
    pub(crate) fn grant(&mut self, name: String) -> AsyncSender {
        let known = self.granted.iter().find(|shared| shared.name == name);
        let shared = known.cloned().unwrap_or_else(|| {
            let state = Mutex::new(State::NotOpen);
            let shared = Arc::new(Shared { name, state, sent: self.sent.clone() });
            self.granted.push(shared.clone());
            shared
        });
        AsyncSender { shared }
    }

    /// Whether a name could be opened now.
    pub(crate) fn check(&self, name: &str) -> Result<(), OpenError> {
        let shared = self.granted.iter().find(|shared| shared.name == name).ok_or(OpenError::NotGranted)?;
        match *shared.state() {
            State::Open(_) => Err(OpenError::Busy),
            State::NotOpen | State::Closed => Ok(()),
        }
    }

    /// Connects a granted name with the handle that the guest made for it.
    pub(crate) fn open(&mut self, name: &str, handle: HandleId, waker: Arc<Waker>) {
        if let Some(at) = self.granted.iter().position(|shared| shared.name == name) {
            *self.granted[at].state() = State::Open(Target { handle, waker, pending: false });
            self.open.push((handle, at));
        }
    }

    /// Disconnects the names whose handles are not open any more.
    pub(crate) fn close(&mut self, is_open: impl Fn(HandleId) -> bool) {
        self.open.retain(|&(handle, at)| {
            let open = is_open(handle);
            if !open {
                *self.granted[at].state() = State::Closed;
            }
            open
        });
    }

    /// Whether anything was sent since `take` was last called.
    pub(crate) fn sent(&self) -> bool {
        self.sent.load(Ordering::Acquire)
    }

    /// Takes the handles that were sent.
    pub(crate) fn take(&mut self, mut woken: impl FnMut(HandleId)) {
        if !self.sent.swap(false, Ordering::AcqRel) {
            return;
        }
        for &(_, at) in &self.open {
            if let State::Open(target) = &mut *self.granted[at].state()
                && std::mem::take(&mut target.pending)
            {
                woken(target.handle);
            }
        }
    }
}

impl Drop for WakeUps {
    fn drop(&mut self) {
        for shared in &self.granted {
            *shared.state() = State::Closed;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_refused_before_the_handle_is_made_and_after_it_is_closed() {
        let poll = mio::Poll::new().unwrap();
        let waker = Arc::new(Waker::new(poll.registry(), mio::Token(0)).unwrap());
        let mut wake_ups = WakeUps::default();
        let sender = wake_ups.grant("tick".into());
        assert_eq!(sender.send(), Err(SendError::NotOpen));
        assert_eq!(wake_ups.check("tick"), Ok(()));
        assert_eq!(wake_ups.check("tock"), Err(OpenError::NotGranted));

        let handle = HandleId::from_index(5);
        wake_ups.open("tick", handle, waker.clone());
        assert_eq!(wake_ups.check("tick"), Err(OpenError::Busy));
        assert!(sender.is_open());
        sender.send().unwrap();
        sender.clone().send().unwrap();
        let mut woken = Vec::new();
        wake_ups.take(|handle| woken.push(handle));
        wake_ups.take(|handle| woken.push(handle));
        assert_eq!(woken, [handle], "two sends before the callback are one");

        sender.send().unwrap();
        wake_ups.close(|_| false);
        assert_eq!(sender.send(), Err(SendError::Closed));
        wake_ups.open("tick", HandleId::from_index(6), waker);
        wake_ups.take(|_| panic!("what was sent to the first handle never reaches the second"));

        drop(wake_ups);
        assert_eq!(sender.send(), Err(SendError::Closed));
    }
}
