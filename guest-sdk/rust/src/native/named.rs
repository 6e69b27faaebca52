//! Async handles with names, and connections to those of other guests.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::rc::Rc;

use uv_handles_core::HandleId;

use crate::bindings::uv::handles::types::{Error as RawError, ErrorCode};
use crate::error::Result;
use crate::native::world::{World, with};
use crate::status::StatusCode;

/// The messages that the mailbox of one handle holds, as by default on the host.
const MAILBOX_MESSAGES: usize = 1_024;

/// The bytes that it holds.
const MAILBOX_BYTES: usize = 1 << 20;

/// The names that are in use.
#[derive(Default)]
pub(super) struct Names {
    /// The handle that was made last under each name.
    handles: HashMap<String, Named>,
    /// The connections that the test has made, and whether the guest has opened each.
    pub(super) connections: HashMap<String, (Rc<RefCell<Received>>, bool)>,
}

struct Named {
    /// None once the handle has been dropped.
    handle: Option<HandleId>,
    mailbox: VecDeque<Vec<u8>>,
}

/// The data that has arrived on a connection.
#[derive(Default)]
pub(super) struct Received {
    pub(super) sends: u64,
    pub(super) messages: VecDeque<Vec<u8>>,
}

impl World {
    /// Gives a handle a name. EBUSY while another handle with that name is open.
    pub(super) fn check_name(&self, name: &str) -> Result<(), RawError> {
        let open = self.names.handles.get(name).and_then(|named| named.handle);
        match open.is_some_and(|handle| !self.loops.handle_closing(handle)) {
            true => Err(RawError::Code(ErrorCode::Ebusy)),
            false => Ok(()),
        }
    }

    pub(super) fn set_name(&mut self, name: &str, handle: HandleId) {
        let named = Named { handle: Some(handle), mailbox: VecDeque::new() };
        self.names.handles.insert(name.to_owned(), named);
        self.named.insert(handle, name.to_owned());
    }

    /// Forgets a handle that is dropped.
    pub(super) fn clear_name(&mut self, handle: HandleId) {
        if let Some(name) = self.named.remove(&handle)
            && let Some(named) = self.names.handles.get_mut(&name)
            && named.handle == Some(handle)
        {
            *named = Named { handle: None, mailbox: VecDeque::new() };
        }
    }

    /// Takes the oldest message of a handle that is open.
    pub(super) fn receive(&mut self, handle: HandleId) -> Result<Option<Vec<u8>>, RawError> {
        self.loops.check_open(handle)?;
        let name = self.named.get(&handle).ok_or(RawError::Code(ErrorCode::Enotsup))?;
        Ok(self.names.handles.get_mut(name).and_then(|named| named.mailbox.pop_front()))
    }

    /// Sends the handle with this name, with a message or without.
    fn send(&mut self, name: &str, message: Option<&[u8]>) -> Result<()> {
        let named = self.names.handles.get_mut(name).ok_or(StatusCode::ENOTCONN)?;
        let handle = named.handle.filter(|&handle| !self.loops.handle_closing(handle));
        let handle = handle.ok_or(StatusCode::EPIPE)?;
        if let Some(message) = message {
            if message.len() > MAILBOX_BYTES {
                return Err(StatusCode::EMSGSIZE.into());
            }
            let held: usize = named.mailbox.iter().map(Vec::len).sum();
            if named.mailbox.len() >= MAILBOX_MESSAGES || held + message.len() > MAILBOX_BYTES {
                return Err(StatusCode::EAGAIN.into());
            }
            named.mailbox.push_back(message.to_vec());
        }
        Ok(self.loops.async_send(handle).map_err(RawError::from)?)
    }
}

/// Sends the async handle that was made under this name, as a host does.
///
/// Every name is granted in a test. ENOTCONN before [`Async::named`](crate::Async::named) has made
/// a handle with the name, EPIPE when the handle is closing or gone.
///
/// ```
/// use std::cell::Cell;
/// use std::rc::Rc;
/// use uv_handles::{Async, Handle, Loop, Result, RunMode, native};
///
/// # fn main() -> Result<()> {
/// let event_loop = Loop::new()?;
/// let reload = Async::named(&event_loop, "reload")?;
/// let reloads = Rc::new(Cell::new(0));
/// let count = reloads.clone();
/// reload.set_callback(move |reload| {
///     count.set(count.get() + 1);
///     reload.close();
/// });
/// native::send("reload")?;
/// event_loop.run(RunMode::Default)?;
/// assert_eq!(reloads.get(), 1);
/// # event_loop.close()
/// # }
/// ```
pub fn send(name: &str) -> Result<()> {
    with(|world| world.send(name, None))
}

/// Puts a message into the mailbox of the async handle with this name, and sends the handle.
///
/// The errors of [`send`]; EAGAIN when the mailbox is full, EMSGSIZE when it will never hold the
/// message. It holds 1,024 messages and 1 MiB, as by default on the host.
pub fn send_message(name: &str, message: &[u8]) -> Result<()> {
    with(|world| world.send(name, Some(message)))
}

/// Makes a connection that the guest opens with [`AsyncSender::open`](crate::AsyncSender::open).
/// The value has what the guest sends.
pub fn connect(name: &str) -> Inbox {
    let received = Rc::<RefCell<Received>>::default();
    with(|world| world.names.connections.insert(name.to_owned(), (received.clone(), false)));
    Inbox(received)
}

/// The other end of a connection: what the guest has sent with an
/// [`AsyncSender`](crate::AsyncSender).
pub struct Inbox(Rc<RefCell<Received>>);

impl Inbox {
    /// The number of sends so far. A message is a send too.
    pub fn sends(&self) -> u64 {
        self.0.borrow().sends
    }

    /// Takes the oldest message.
    pub fn receive(&self) -> Option<Vec<u8>> {
        self.0.borrow_mut().messages.pop_front()
    }
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").field("sends", &self.sends()).finish_non_exhaustive()
    }
}
