//! Async senders, and the named async handles that they reach.
//!
//! The embedder or another guest holds the [`AsyncSender`]. The guest makes the async handle of the
//! granted name.

use crate::grants::mailbox::{Capacity, Mailbox};
use crate::grants::send_error::SendError;
use crate::os::Waker;
use crate::os::sync::{Arc, AtomicBool, Mutex, MutexGuard, Ordering, PoisonError};
use uv_handles_core::HandleId;

/// Sends a guest's named async handle from any thread, as libuv's uv_async_send.
///
/// [`UvCtxBuilder::async_sender`](crate::UvCtxBuilder::async_sender) makes a sender, before the
/// guest exists. Clones send the same handle.
/// [`UvCtxBuilder::async_connection`](crate::UvCtxBuilder::async_connection) grants a sender to
/// another guest.
#[derive(Debug, Clone)]
pub struct AsyncSender {
    shared: Arc<Shared>,
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

/// The open handle that sends reach.
#[derive(Debug)]
struct Target {
    handle: HandleId,
    /// Ends the wait of the handle's loop.
    waker: Arc<Waker>,
    /// Set by every send. All named handles of the guest share it.
    sent: Arc<AtomicBool>,
    pending: bool,
    mailbox: Mailbox,
    /// The open handle of the guest that this one replaces.
    replaced: Option<Box<Target>>,
}

impl Target {
    fn is_of(&self, sent: &Arc<AtomicBool>) -> bool {
        Arc::ptr_eq(&self.sent, sent)
    }

    /// Moves the messages and the pending send of another handle here.
    fn take_over(&mut self, other: &mut Target) {
        self.mailbox.take_over(&mut other.mailbox);
        if std::mem::take(&mut other.pending) {
            self.pending = true;
            self.sent.store(true, Ordering::Release);
        }
    }
}

impl State {
    /// Closes the handle of the guest with this flag, as far as it has one. A guest that was about
    /// to be replaced by it gets the handle back.
    fn close(&mut self, of: &Arc<AtomicBool>) {
        let State::Open(target) = self else {
            return;
        };
        if !target.is_of(of) {
            if target.replaced.as_ref().is_some_and(|replaced| replaced.is_of(of)) {
                target.replaced = None;
            }
            return;
        }
        *self = match target.replaced.take() {
            None => State::Closed,
            Some(mut replaced) => {
                replaced.take_over(target);
                State::Open(*replaced)
            }
        };
    }
}

impl Shared {
    /// Locks the state. A panic cannot leave it half-written, so poisoning is ignored.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsyncSender {
    /// Makes the callback of the guest's async handle due. Never blocks.
    ///
    /// Sends before the callback begins coalesce into one callback. An accepted send is never lost.
    ///
    /// # Errors
    ///
    /// [`SendError::NotOpen`] before the guest has made the handle, [`SendError::Closed`] once it
    /// has closed the handle. A guest may open the name again later.
    pub fn send(&self) -> Result<(), SendError> {
        self.send_to(|_| Ok(()))
    }

    /// Puts a message into the mailbox of the guest's async handle, and
    /// [`send`](AsyncSender::send)s the handle.
    ///
    /// The guest takes the message with `async-handle.receive`. Messages keep their order. None is
    /// dropped while the handle is open.
    ///
    /// # Errors
    ///
    /// Those of [`send`](AsyncSender::send). [`SendError::Full`] if the mailbox has no room now,
    /// [`SendError::TooLarge`] if the message does not fit into an empty mailbox.
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
        // The woken thread takes this lock.
        drop(state);
        // `sent` is read before every wait, so a loop that is not waiting sees the send even if the
        // write to the waker fails. A log entry is the only way to report that failure.
        if let Err(error) = waker.wake() {
            tracing::error!(%error, name = self.name(), "cannot wake a waiting guest");
        }
        Ok(())
    }

    /// Returns whether the guest has the async handle open, so that [`send`](AsyncSender::send)
    /// would succeed now.
    pub fn is_open(&self) -> bool {
        matches!(*self.shared.state(), State::Open(_))
    }

    /// Returns the number of messages that wait in the mailbox, and of their bytes.
    pub fn depth(&self) -> (usize, usize) {
        match &*self.shared.state() {
            State::Open(target) => target.mailbox.depth(),
            State::NotOpen | State::Closed => (0, 0),
        }
    }

    /// Returns the bytes for which the mailbox has room when it is empty. `None` if the guest has not
    /// opened the handle.
    pub fn capacity(&self) -> Option<usize> {
        match &*self.shared.state() {
            State::Open(target) => Some(target.mailbox.capacity_bytes()),
            State::NotOpen | State::Closed => None,
        }
    }

    /// Returns the granted name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }
}

/// The named async handles that were granted to a guest: the receiving end of senders.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct AsyncHandles {
    granted: Vec<Arc<Shared>>,
    /// Names that are taken over from a guest which has them open.
    taking_over: bool,
    /// The capacity of each handle's mailbox.
    pub capacity: Capacity,
    sent: Arc<AtomicBool>,
    /// The open handles, each with its index in `granted`.
    open: Vec<(HandleId, usize)>,
}

/// A name that is being opened. It holds the lock, so no other guest can open the name.
#[derive(Debug)]
pub(crate) struct Opening<'a> {
    state: MutexGuard<'a, State>,
    at: usize,
    open: &'a mut Vec<(HandleId, usize)>,
    sent: &'a Arc<AtomicBool>,
    capacity: Capacity,
}

impl Opening<'_> {
    /// Connects the name to the handle that the guest made for it.
    pub(crate) fn with(mut self, handle: HandleId, waker: Arc<Waker>) {
        let (sent, mailbox) = (self.sent.clone(), Mailbox::new(self.capacity));
        let mut target = Target { handle, waker, sent, pending: false, mailbox, replaced: None };
        if let State::Open(mut replaced) = std::mem::replace(&mut *self.state, State::Closed) {
            target.take_over(&mut replaced);
            // A replaced guest had replaced others at most before its own start.
            replaced.replaced = None;
            target.replaced = Some(Box::new(replaced));
        }
        *self.state = State::Open(target);
        self.open.push((handle, self.at));
    }
}

/// The reason why a name cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenError {
    NotGranted,
    Busy,
}

impl AsyncHandles {
    pub(crate) fn new(capacity: Capacity) -> AsyncHandles {
        AsyncHandles {
            granted: Vec::new(),
            taking_over: false,
            capacity,
            open: Vec::new(),
            sent: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Grants a name. A second grant of a name returns another sender of the same handle.
    pub(crate) fn grant(&mut self, name: String) -> AsyncSender {
        let known = self.granted.iter().find(|shared| shared.name == name);
        let shared = known.cloned().unwrap_or_else(|| {
            let shared = Arc::new(Shared { name, state: Mutex::new(State::NotOpen) });
            self.granted.push(shared.clone());
            shared
        });
        AsyncSender { shared }
    }

    /// Grants the name of a sender that was made for another guest. The sender then reaches
    /// whichever guest has the handle open.
    pub(crate) fn grant_sender(&mut self, sender: &AsyncSender) {
        self.granted.retain(|shared| shared.name != sender.shared.name);
        self.granted.push(sender.shared.clone());
    }

    /// The same for the sender of a guest that this one replaces.
    pub(crate) fn grant_taking_over(&mut self, sender: &AsyncSender) {
        self.grant_sender(sender);
        self.taking_over = true;
    }

    /// Returns the senders of all granted names.
    #[cfg(feature = "async")]
    pub(crate) fn senders(&self) -> impl Iterator<Item = AsyncSender> {
        self.granted.iter().map(|shared| AsyncSender { shared: shared.clone() })
    }

    /// Returns the number of messages that wait in the mailboxes of open handles, and of their
    /// bytes.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let mut sum = (0, 0);
        for &(_, at) in &self.open {
            if let State::Open(target) = &*self.granted[at].state()
                && target.is_of(&self.sent)
            {
                let (messages, bytes) = target.mailbox.depth();
                sum = (sum.0 + messages, sum.1 + bytes);
            }
        }
        sum
    }

    /// Begins to open a name that is granted and not open.
    pub(crate) fn open(&mut self, name: &str) -> Result<Opening<'_>, OpenError> {
        let at = self.granted.iter().position(|shared| shared.name == name).ok_or(OpenError::NotGranted)?;
        match self.granted[at].state() {
            state if matches!(&*state, State::Open(target) if !self.taking_over || target.is_of(&self.sent)) => {
                Err(OpenError::Busy)
            }
            state => {
                Ok(Opening { state, at, open: &mut self.open, sent: &self.sent, capacity: self.capacity })
            }
        }
    }

    /// Sends an open handle of this guest by its name. Returns whether there is one.
    #[cfg(feature = "async")]
    pub(crate) fn send(&self, name: &str) -> bool {
        let mut open = self.open.iter().map(|&(_, at)| &self.granted[at]);
        let shared = open.find(|shared| shared.name == name);
        shared.is_some_and(|shared| AsyncSender { shared: shared.clone() }.send().is_ok())
    }

    /// Takes the oldest message for a handle. `None` if the handle has no name.
    pub(crate) fn receive(&self, handle: HandleId) -> Option<Option<Vec<u8>>> {
        let &(_, at) = self.open.iter().find(|&&(open, _)| open == handle)?;
        match &mut *self.granted[at].state() {
            State::Open(target) if target.is_of(&self.sent) => Some(target.mailbox.take()),
            // The guest is about to be replaced, and the other one has the messages.
            State::Open(_) => Some(None),
            State::NotOpen | State::Closed => None,
        }
    }

    /// Disconnects the names whose handles are no longer open.
    pub(crate) fn close(&mut self, is_open: impl Fn(HandleId) -> bool) {
        self.open.retain(|&(handle, at)| {
            let open = is_open(handle);
            if !open {
                self.granted[at].state().close(&self.sent);
            }
            open
        });
    }

    /// Returns whether an open handle was sent since the last `take`.
    pub(crate) fn sent(&self) -> bool {
        !self.open.is_empty() && self.sent.load(Ordering::Acquire)
    }

    /// Calls `sent` for each handle that was sent since the last `take`.
    pub(crate) fn take(&mut self, mut sent: impl FnMut(HandleId)) {
        if !self.sent.swap(false, Ordering::AcqRel) {
            return;
        }
        for &(_, at) in &self.open {
            if let State::Open(target) = &mut *self.granted[at].state()
                && target.is_of(&self.sent)
                && std::mem::take(&mut target.pending)
            {
                sent(target.handle);
            }
        }
    }
}

impl Drop for AsyncHandles {
    fn drop(&mut self) {
        for shared in &self.granted {
            let mut state = shared.state();
            match &mut *state {
                // Another guest may have the name open, if its sender was reused.
                State::Open(_) => state.close(&self.sent),
                State::NotOpen | State::Closed => *state = State::Closed,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_messages() -> AsyncHandles {
        AsyncHandles::new(Capacity { messages: 2, bytes: 8 })
    }

    #[test]
    fn messages_reach_only_the_handle_open_at_the_send() {
        let waker = Arc::<Waker>::default();
        let mut handles = two_messages();
        let sender = handles.grant("jobs".into());
        assert_eq!(sender.send_message("early"), Err(SendError::NotOpen));
        let (first, second) = (HandleId::from_index(1), HandleId::from_index(2));
        handles.open("jobs").unwrap().with(first, waker.clone());
        sender.send_message("one").unwrap();
        sender.send_message("two").unwrap();
        assert_eq!(sender.send_message("three"), Err(SendError::Full));
        assert_eq!(sender.send_message("much too large"), Err(SendError::TooLarge));
        sender.send().unwrap();
        let mut woken = Vec::new();
        handles.take(|handle| woken.push(handle));
        assert_eq!(woken, [first]);
        assert_eq!(handles.receive(first), Some(Some(b"one".to_vec())));
        assert_eq!(handles.receive(second), None, "the handle has no name");

        handles.close(|_| false);
        handles.open("jobs").unwrap().with(second, waker);
        assert_eq!(handles.receive(second), Some(None));
        sender.send_message("three").unwrap();
        assert_eq!(handles.receive(second), Some(Some(b"three".to_vec())));
        assert_eq!(handles.receive(second), Some(None));
    }

    #[test]
    fn a_reused_sender_reaches_the_next_guest() {
        let waker = Arc::<Waker>::default();
        let (mut first, mut second) = (two_messages(), two_messages());
        let sender = first.grant("jobs".into());
        second.grant("jobs".into());
        second.grant_sender(&sender);
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
    fn a_replaced_guest_gets_its_handle_and_messages_back_when_the_new_one_fails() {
        let waker = Arc::<Waker>::default();
        let (mut old, mut new) = (two_messages(), two_messages());
        let sender = old.grant("jobs".into());
        new.grant_taking_over(&sender);
        let (of_old, of_new) = (HandleId::from_index(1), HandleId::from_index(7));
        old.open("jobs").unwrap().with(of_old, waker.clone());
        sender.send_message("one").unwrap();
        new.open("jobs").unwrap().with(of_new, waker.clone());
        assert_eq!(new.open("jobs").err(), Some(OpenError::Busy));
        sender.send_message("two").unwrap();
        assert_eq!(old.receive(of_old), Some(None));
        old.take(|_| panic!("the new guest has the handle"));
        assert_eq!(new.receive(of_new), Some(Some(b"one".to_vec())));
        drop(new);
        let mut woken = Vec::new();
        old.take(|handle| woken.push(handle));
        assert_eq!(woken, [of_old]);
        assert_eq!(old.receive(of_old), Some(Some(b"two".to_vec())));

        let mut next = two_messages();
        next.grant_taking_over(&sender);
        next.open("jobs").unwrap().with(of_new, waker);
        drop(old);
        sender.send_message("three").unwrap();
        assert_eq!((sender.depth(), next.depth()), ((1, 5), (1, 5)));
        drop(next);
        assert_eq!(sender.send(), Err(SendError::Closed));
    }

    #[test]
    fn dropping_a_guest_does_not_close_a_name_open_in_another() {
        let waker = Arc::<Waker>::default();
        let (mut first, mut second) = (two_messages(), two_messages());
        let sender = first.grant("jobs".into());
        second.grant_sender(&sender);
        second.open("jobs").unwrap().with(HandleId::from_index(7), waker);
        drop(first);
        assert!(sender.is_open());
    }

    #[test]
    fn a_sender_is_refused_before_the_handle_is_made_and_after_it_is_closed() {
        let waker = Arc::<Waker>::default();
        let mut handles = two_messages();
        let sender = handles.grant("tick".into());
        assert_eq!(sender.send(), Err(SendError::NotOpen));
        assert!(handles.open("tick").is_ok());
        assert_eq!(handles.open("tock").err(), Some(OpenError::NotGranted));

        let handle = HandleId::from_index(5);
        handles.open("tick").unwrap().with(handle, waker.clone());
        assert_eq!(handles.open("tick").err(), Some(OpenError::Busy));
        assert!(sender.is_open());
        sender.send().unwrap();
        sender.clone().send().unwrap();
        let mut woken = Vec::new();
        handles.take(|handle| woken.push(handle));
        handles.take(|handle| woken.push(handle));
        assert_eq!(woken, [handle], "two sends before the callback coalesce");

        sender.send().unwrap();
        handles.close(|_| false);
        assert_eq!(sender.send(), Err(SendError::Closed));
        handles.open("tick").unwrap().with(HandleId::from_index(6), waker);
        handles.take(|_| panic!("a send to the first handle reached the second"));

        drop(handles);
        assert_eq!(sender.send(), Err(SendError::Closed));
    }
}
