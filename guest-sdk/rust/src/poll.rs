//! Poll handles: a callback when a descriptor is ready.

use std::ops::Deref;
use std::rc::Weak;

use crate::batch::Synced;
use crate::descriptor::Descriptor;
use crate::error::Result;
use crate::event_loop::Loop;
use crate::handle::handle_kind;
use crate::imports::descriptors::Descriptor as RawDescriptor;
use crate::imports::poll::Poll as RawPoll;
use crate::poll_events::PollEvents;
use crate::status::StatusCode;

/// The host's poll handle, and the descriptor that it watches.
///
/// The reference is weak: dropping a descriptor closes it, and the guest decides when.
pub(crate) struct Watch {
    raw: RawPoll,
    descriptor: Weak<Synced<RawDescriptor>>,
}

impl Deref for Watch {
    type Target = RawPoll;

    fn deref(&self) -> &RawPoll {
        &self.raw
    }
}

handle_kind! {
    /// A poll handle, as libuv's `uv_poll_t`. It is level-triggered: as long as the descriptor is
    /// ready, it is called in every iteration.
    ///
    /// Readiness may be spurious: a read can still answer EAGAIN. An error on the descriptor (a
    /// reset connection, a pipe without reader) stops the handle and is reported once, as EBADF in
    /// place of events. So does dropping the last value of the [`Descriptor`] while the handle is
    /// active: a poll handle does not keep its descriptor open.
    ///
    /// ```no_run
    /// # use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result};
    /// # fn main() -> Result<()> {
    /// # let event_loop = Loop::new()?;
    /// let input = Descriptor::open("stdin")?;
    /// let poll = Poll::new(&event_loop, &input)?;
    /// // The closure owns the descriptor, and is itself dropped when the handle is closed.
    /// poll.start_with(PollEvents::READABLE, move |poll, ready| {
    ///     match ready.map_err(Into::into).and_then(|_| input.read_vec(4096)) {
    ///         Ok(bytes) if bytes.is_empty() => poll.close(),
    ///         Ok(bytes) => println!("{} bytes", bytes.len()),
    ///         Err(error) => eprintln!("{error}"),
    ///     }
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    Poll(Synced<Watch>), Poll, callback(poll: &Poll, ready: Result<PollEvents, StatusCode>)
    of EventKind::Poll(ready) => ready.map(PollEvents::from_raw).map_err(StatusCode::from)
}

impl Poll {
    /// Makes a poll handle for a descriptor.
    ///
    /// `LoopClosed` on a closed loop; ENOMEM when the guest has as many handles as the host allows;
    /// EEXIST while another poll handle of this loop is active on the same descriptor; EPERM for a
    /// descriptor that the host's system cannot poll (a regular file).
    pub fn new(event_loop: &Loop, descriptor: &Descriptor) -> Result<Self> {
        Self::make(event_loop, |event_loop, token| {
            Ok(Watch {
                raw: RawPoll::create(event_loop, token, descriptor.raw())?,
                descriptor: descriptor.downgrade(),
            })
        })
    }

    /// Makes a poll handle for a pollable of WASI: a stream, a socket, a pending HTTP response, a
    /// clock.
    ///
    /// The handle owns the pollable, and drops it when it is closed. As with every pollable, the
    /// stream or socket that it comes from must not be dropped before that. While it is ready, the
    /// callback is called in every iteration, with the events that [`start`](Self::start) asked for.
    ///
    /// `LoopClosed` on a closed loop; ENOMEM when the guest has as many handles as the host allows.
    ///
    /// ```no_run
    /// use uv_handles::{Handle, Loop, Poll, PollEvents, Result, RunMode};
    ///
    /// fn main() -> Result<()> {
    ///     let event_loop = Loop::new()?;
    ///     let second = wasip2::clocks::monotonic_clock::subscribe_duration(1_000_000_000);
    ///     let poll = Poll::on_pollable(&event_loop, second)?;
    ///     poll.start_with(PollEvents::READABLE, |poll, _| poll.close())?;
    ///     event_loop.run(RunMode::Default)?;
    ///     event_loop.close()
    /// }
    /// ```
    #[cfg(feature = "wasi")]
    pub fn on_pollable(event_loop: &Loop, pollable: wasip2::io::poll::Pollable) -> Result<Self> {
        use crate::imports::pollables;
        use crate::imports::types::{Error, ErrorCode};
        let pollable = std::cell::Cell::new(Some(pollable));
        let poll = Self::make(event_loop, |event_loop, token| {
            // The host has dropped the pollable of a call that it refused.
            let pollable = pollable.take().ok_or(Error::Code(ErrorCode::Enomem))?;
            Ok(Watch { raw: pollables::create(event_loop, token, pollable)?, descriptor: Weak::new() })
        })?;
        poll.0.common.set_on_pollable();
        Ok(poll)
    }

    /// Watches for these events, as `uv_poll_start`.
    ///
    /// On an active handle it replaces the events; an event that was already collected is dropped.
    /// [`NONE`](PollEvents::NONE) stops the handle. EEXIST while another poll handle of this loop
    /// is active on the same descriptor, EBADF if the descriptor has been dropped, `HandleClosed`
    /// on a closing handle.
    pub fn start(&self, events: PollEvents) -> Result<()> {
        Ok(self.0.raw.start(events.to_raw())?)
    }

    /// Watches for these events with this callback. If that is refused, the callback is not
    /// replaced.
    pub fn start_with(
        &self,
        events: PollEvents,
        callback: impl FnMut(&Self, Result<PollEvents, StatusCode>) + 'static,
    ) -> Result<()> {
        self.start(events)?;
        self.set_callback(callback);
        Ok(())
    }

    /// Stops watching, as `uv_poll_stop`. Nothing happens if it is not started or is closing.
    pub fn stop(&self) {
        self.0.raw.stop();
    }

    /// The descriptor that the handle was made for, none if it has been dropped or the handle is on a
    /// pollable. The returned value
    /// keeps the descriptor open, as every value of it does.
    pub fn descriptor(&self) -> Option<Descriptor> {
        Descriptor::upgrade(&self.0.raw.without_sync().descriptor)
    }
}
