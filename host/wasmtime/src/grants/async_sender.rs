//! Waking a guest from outside: the sender that the embedder or another guest holds, and the guest's named
//! async handle at the other end.

use crate::grants::mailbox::{Capacity, Mailbox};
use crate::os::Waker;
use crate::os::sync::{Arc, AtomicBool, Mutex, MutexGuard, Ordering, PoisonError};
use thiserror::Error;
use uv_handles_core::HandleId;

/// Sends a guest's async handle of a granted name, from any thread, as libuv's uv_async_send.
///
/// Made by [`UvCtxBuilder::wake_up`](crate::UvCtxBuilder::wake_up), before the guest exists. Clones
/// send the same handle. [`UvCtxBuilder::connect`](crate::UvCtxBuilder::connect) gives one to another guest.
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
    /// The guest has not taken enough of the messages before this one:
    /// [`Limits::mailbox_messages`](crate::Limits::mailbox_messages),
    /// [`Limits::mailbox_bytes`](crate::Limits::mailbox_bytes).
    #[error("the guest's mailbox is full")]
    Full,
    /// The message alone is larger than [`Limits::mailbox_bytes`](crate::Limits::mailbox_bytes).
    #[error("the message is larger than the guest's mailbox")]
    TooLarge,
}

#[derive(Debug)]
struct Shared {
    name: String,
    state: Mutex<State>,
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
    /// Shared by all wake-ups of the guest: one of them has been sent.
    sent: Arc<AtomicBool>,
    pending: bool,
    mailbox: Mailbox,
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
        self.send_to(|_| Ok(()))
    }

    /// Puts a message into the mailbox of the guest's async handle, and asks for its callback, as
    /// [`send`](AsyncSender::send). The guest takes it with `async-handle.receive`. Messages keep the
    /// order of sending, and none is dropped while the handle is open.
    ///
    /// # Errors
    ///
    /// Those of [`send`](AsyncSender::send); [`SendError::Full`] when the mailbox is full for now,
    /// [`SendError::TooLarge`] when the message does not fit even into an empty one.
    pub fn send_message(&self, message: impl Into<Vec<u8>>) -> Result<(), SendError> {
        self.send_to(|mailbox| mailbox.put(message.into()))
    }

    fn send_to(&self, put: impl FnOnce(&mut Mailbox) -> Result<(), SendError>) -> Result<(), SendError> {
        let mut state = self.shared.state();
        let target = match &mut *state {
            State::Open(target) => target,
            State::NotOpen => return Err(SendError::NotOpen),
            State::Closed => return Err(SendError::Closed),
        };
        put(&mut target.mailbox)?;
        if std::mem::replace(&mut target.pending, true) {
            return Ok(());
        }
        target.sent.store(true, Ordering::Release);
        let waker = target.waker.clone();
        // Whoever is woken wants the lock.
        drop(state);
        // The flag above is read before every wait, so a loop that is not waiting sees it even
        // if the system refuses the write, and this is the only way to report that.
        if let Err(error) = waker.wake() {
            tracing::error!(%error, name = self.name(), "a waiting guest can not be woken");
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
#[derive(Debug)]
pub(crate) struct WakeUps {
    granted: Vec<Arc<Shared>>,
    /// How much the mailbox of each handle holds.
    pub capacity: Capacity,
    /// Those of them that are open, by the place in `granted`.
    open: Vec<(HandleId, usize)>,
    sent: Arc<AtomicBool>,
}

/// A name that is about to be opened. As long as this is there, no other guest opens it.
#[derive(Debug)]
pub(crate) struct Opening<'a> {
    state: MutexGuard<'a, State>,
    at: usize,
    open: &'a mut Vec<(HandleId, usize)>,
    sent: &'a Arc<AtomicBool>,
    capacity: Capacity,
}

impl Opening<'_> {
    /// Connects the name with the handle that the guest made for it.
    pub(crate) fn with(mut self, handle: HandleId, waker: Arc<Waker>) {
        let (sent, mailbox) = (self.sent.clone(), Mailbox::new(self.capacity));
        *self.state = State::Open(Target { handle, waker, sent, pending: false, mailbox });
        self.open.push((handle, self.at));
    }
}

/// Why a name can not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenError {
    NotGranted,
    Busy,
}

impl WakeUps {
    pub(crate) fn new(capacity: Capacity) -> WakeUps {
        WakeUps { granted: Vec::new(), capacity, open: Vec::new(), sent: Arc::new(AtomicBool::new(false)) }
    }

    /// Grants a name. Granting it again gives another sender of the same.
    pub(crate) fn grant(&mut self, name: String) -> AsyncSender {
        let known = self.granted.iter().find(|shared| shared.name == name);
        let shared = known.cloned().unwrap_or_else(|| {
            let shared = Arc::new(Shared { name, state: Mutex::new(State::NotOpen) });
            self.granted.push(shared.clone());
            shared
        });
        AsyncSender { shared }
    }

    /// Grants the name of a sender that was made for another guest, so that it reaches this one too: whichever
    /// of them has the handle open.
    pub(crate) fn grant_again(&mut self, sender: &AsyncSender) {
        self.granted.retain(|shared| shared.name != sender.shared.name);
        self.granted.push(sender.shared.clone());
    }

    /// Begins to open a name that is granted and not open.
    pub(crate) fn open(&mut self, name: &str) -> Result<Opening<'_>, OpenError> {
        let at = self.granted.iter().position(|shared| shared.name == name).ok_or(OpenError::NotGranted)?;
        match self.granted[at].state() {
            state if matches!(*state, State::Open(_)) => Err(OpenError::Busy),
            state => {
                Ok(Opening { state, at, open: &mut self.open, sent: &self.sent, capacity: self.capacity })
            }
        }
    }

    /// Sends an open handle of the guest's own, by its name. Answers whether there is one.
    #[cfg(feature = "async")]
    pub(crate) fn send(&self, name: &str) -> bool {
        let mut open = self.open.iter().map(|&(_, at)| &self.granted[at]);
        let shared = open.find(|shared| shared.name == name);
        shared.is_some_and(|shared| AsyncSender { shared: shared.clone() }.send().is_ok())
    }

    /// Takes the oldest message for a handle; `None` if it has no name.
    pub(crate) fn receive(&self, handle: HandleId) -> Option<Option<Vec<u8>>> {
        let &(_, at) = self.open.iter().find(|&&(open, _)| open == handle)?;
        match &mut *self.granted[at].state() {
            State::Open(target) => Some(target.mailbox.take()),
            State::NotOpen | State::Closed => None,
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

    /// Whether anything was sent to an open handle since `take` was last called.
    pub(crate) fn sent(&self) -> bool {
        !self.open.is_empty() && self.sent.load(Ordering::Acquire)
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
        for (at, shared) in self.granted.iter().enumerate() {
            let mut state = shared.state();
            // Another guest may have the name open by now, if it was granted again.
            if !matches!(*state, State::Open(_)) || self.open.iter().any(|&(_, open)| open == at) {
                *state = State::Closed;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wake_ups() -> WakeUps {
        WakeUps::new(Capacity { messages: 2, bytes: 8 })
    }

    #[test]
    fn messages_are_for_the_handle_that_is_open_and_for_no_later_one() {
        let waker = Arc::<Waker>::default();
        let mut wake_ups = wake_ups();
        let sender = wake_ups.grant("jobs".into());
        assert_eq!(sender.send_message("early"), Err(SendError::NotOpen));
        let (first, second) = (HandleId::from_index(1), HandleId::from_index(2));
        wake_ups.open("jobs").unwrap().with(first, waker.clone());
        sender.send_message("one").unwrap();
        sender.send_message("two").unwrap();
        assert_eq!(sender.send_message("three"), Err(SendError::Full));
        assert_eq!(sender.send_message("much too large"), Err(SendError::TooLarge));
        sender.send().unwrap();
        let mut woken = Vec::new();
        wake_ups.take(|handle| woken.push(handle));
        assert_eq!(woken, [first]);
        assert_eq!(wake_ups.receive(first), Some(Some(b"one".to_vec())));
        assert_eq!(wake_ups.receive(second), None, "it has no name");

        wake_ups.close(|_| false);
        wake_ups.open("jobs").unwrap().with(second, waker);
        assert_eq!(wake_ups.receive(second), Some(None));
        sender.send_message("three").unwrap();
        assert_eq!(wake_ups.receive(second), Some(Some(b"three".to_vec())));
        assert_eq!(wake_ups.receive(second), Some(None));
    }

    #[test]
    fn a_name_that_is_granted_again_reaches_the_next_guest() {
        let waker = Arc::<Waker>::default();
        let (mut first, mut second) = (wake_ups(), wake_ups());
        let sender = first.grant("jobs".into());
        second.grant("jobs".into());
        second.grant_again(&sender);
        first.open("jobs").unwrap().with(HandleId::from_index(1), waker.clone());
        assert_eq!(second.open("jobs").err(), Some(OpenError::Busy));
        sender.send().unwrap();
        drop(first);
        assert_eq!(sender.send(), Err(SendError::Closed));
        assert!(!second.sent());
        second.open("jobs").unwrap().with(HandleId::from_index(7), waker);
        sender.send().unwrap();
        let mut woken = Vec::new();
        second.take(|handle| woken.push(handle));
        assert_eq!(woken, [HandleId::from_index(7)]);
    }

    #[test]
    fn a_guest_that_never_opened_the_name_leaves_it_to_the_one_that_did() {
        let waker = Arc::<Waker>::default();
        let (mut first, mut second) = (wake_ups(), wake_ups());
        let sender = first.grant("jobs".into());
        second.grant_again(&sender);
        second.open("jobs").unwrap().with(HandleId::from_index(7), waker);
        drop(first);
        assert!(sender.is_open());
    }

    #[test]
    fn a_sender_is_refused_before_the_handle_is_made_and_after_it_is_closed() {
        let waker = Arc::<Waker>::default();
        let mut wake_ups = wake_ups();
        let sender = wake_ups.grant("tick".into());
        assert_eq!(sender.send(), Err(SendError::NotOpen));
        assert!(wake_ups.open("tick").is_ok());
        assert_eq!(wake_ups.open("tock").err(), Some(OpenError::NotGranted));

        let handle = HandleId::from_index(5);
        wake_ups.open("tick").unwrap().with(handle, waker.clone());
        assert_eq!(wake_ups.open("tick").err(), Some(OpenError::Busy));
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
        wake_ups.open("tick").unwrap().with(HandleId::from_index(6), waker);
        wake_ups.take(|_| panic!("what was sent to the first handle never reaches the second"));

        drop(wake_ups);
        assert_eq!(sender.send(), Err(SendError::Closed));
    }
}
