//! `handle`, the interfaces of the seven kinds, and `async-sender`.

use std::cell::RefCell;
use std::rc::Rc;

use uv_handles_core::HandleId;

use super::loops::Loop;
use super::streams::Descriptor;
use crate::bindings::uv::handles::types::{Error, ErrorCode, PollEvents};
use crate::native::named::Received;
use crate::native::world::with;

/// The resource of a handle of any kind.
pub struct Owned(HandleId);

impl Drop for Owned {
    fn drop(&mut self) {
        with(|world| {
            world.loops.close(self.0);
            world.loops.release(self.0);
            world.clear_name(self.0);
        });
    }
}

pub(crate) mod handle {
    use super::{Error, ErrorCode, HandleId, Owned, with};

    pub enum AnyHandle<'a> {
        Timer(&'a super::timer::Timer),
        Idle(&'a super::idle::Idle),
        Prepare(&'a super::prepare::Prepare),
        Check(&'a super::check::Check),
        AsyncHandle(&'a super::async_handle::AsyncHandle),
        Poll(&'a super::poll::Poll),
        Signal(&'a super::signal::Signal),
    }

    fn id(handle: &AnyHandle<'_>) -> HandleId {
        let Owned(id) = match handle {
            AnyHandle::Timer(timer) => &timer.0,
            AnyHandle::Idle(idle) => &idle.0,
            AnyHandle::Prepare(prepare) => &prepare.0,
            AnyHandle::Check(check) => &check.0,
            AnyHandle::AsyncHandle(async_handle) => &async_handle.0,
            AnyHandle::Poll(poll) => &poll.0,
            AnyHandle::Signal(signal) => &signal.0,
        };
        *id
    }

    pub fn close(handle: &AnyHandle<'_>) {
        with(|world| world.loops.close(id(handle)));
    }

    pub fn active(handle: &AnyHandle<'_>) -> bool {
        with(|world| world.loops.active(id(handle)))
    }

    pub fn referenced(handle: &AnyHandle<'_>) -> bool {
        with(|world| world.loops.referenced(id(handle)))
    }

    pub fn reference(handle: &AnyHandle<'_>) -> Result<(), Error> {
        Ok(with(|world| world.loops.reference(id(handle)))?)
    }

    pub fn dereference(handle: &AnyHandle<'_>) -> Result<(), Error> {
        Ok(with(|world| world.loops.dereference(id(handle)))?)
    }

    pub fn fileno(handle: &AnyHandle<'_>) -> Result<u32, Error> {
        with(|world| {
            world.loops.check_open(id(handle))?;
            match world.loops.poll_source(id(handle)) {
                Some(source) => Ok(source.0 as u32),
                None => Err(Error::Code(ErrorCode::Einval)),
            }
        })
    }
}

/// The module of a kind of handle: its resource, and how it is made.
macro_rules! kind {
    ($module:ident, $kind:ident, $make:ident) => {
        pub(crate) mod $module {
            use super::{Error, Loop, Owned, with};

            pub struct $kind(pub(super) Owned);

            impl $kind {
                #[allow(dead_code, reason = "a poll handle is made in another way")]
                pub fn create(owner: &Loop, token: u64) -> Result<$kind, Error> {
                    Ok(with(|world| world.loops.$make(owner.0, token)).map(|id| $kind(Owned(id)))?)
                }
            }
        }
    };
}

kind!(timer, Timer, make_timer);
kind!(idle, Idle, make_idle);
kind!(prepare, Prepare, make_prepare);
kind!(check, Check, make_check);
kind!(async_handle, AsyncHandle, make_async);
kind!(signal, Signal, make_signal);

impl timer::Timer {
    /// A timer of a pool.
    pub(super) fn of(id: HandleId) -> Self {
        Self(Owned(id))
    }

    pub fn start(&self, timeout: u64, repeat: u64) -> Result<(), Error> {
        Ok(with(|world| world.loops.timer_start(self.0.0, timeout, repeat))?)
    }

    pub fn stop(&self) {
        with(|world| world.loops.timer_stop(self.0.0));
    }

    pub fn again(&self) -> Result<(), Error> {
        Ok(with(|world| world.loops.timer_again(self.0.0))?)
    }

    pub fn repeat(&self) -> Result<u64, Error> {
        Ok(with(|world| world.loops.timer_repeat(self.0.0))?)
    }

    pub fn set_repeat(&self, repeat: u64) -> Result<(), Error> {
        Ok(with(|world| world.loops.timer_set_repeat(self.0.0, repeat))?)
    }

    pub fn due_in(&self) -> Result<u64, Error> {
        Ok(with(|world| world.loops.timer_due_in(self.0.0))?)
    }
}

macro_rules! watcher {
    ($kind:ty) => {
        impl $kind {
            pub fn start(&self) -> Result<(), Error> {
                Ok(with(|world| world.loops.watcher_start(self.0.0))?)
            }

            pub fn stop(&self) {
                with(|world| world.loops.watcher_stop(self.0.0));
            }
        }
    };
}

watcher!(idle::Idle);
watcher!(prepare::Prepare);
watcher!(check::Check);

impl async_handle::AsyncHandle {
    /// Every name is granted.
    pub fn create_named(owner: &Loop, token: u64, name: &str) -> Result<Self, Error> {
        with(|world| world.check_name(name))?;
        let made = Self::create(owner, token)?;
        with(|world| world.set_name(name, made.0.0));
        Ok(made)
    }

    pub fn send(&self) -> Result<(), Error> {
        Ok(with(|world| world.loops.async_send(self.0.0))?)
    }

    pub fn receive(&self) -> Result<Option<Vec<u8>>, Error> {
        with(|world| world.receive(self.0.0))
    }
}

pub(crate) mod poll {
    use super::{Descriptor, Error, ErrorCode, Loop, Owned, PollEvents, with};

    pub struct Poll(pub(super) Owned);

    impl Poll {
        pub fn create(owner: &Loop, token: u64, descriptor: &Descriptor) -> Result<Poll, Error> {
            let made = with(|world| world.loops.make_poll(owner.0, token, descriptor.0));
            Ok(made.map(|id| Poll(Owned(id)))?)
        }

        pub fn start(&self, events: PollEvents) -> Result<(), Error> {
            with(|world| {
                let id = self.0.0;
                world.loops.check_open(id)?;
                let source = world.loops.poll_source(id);
                if !source.is_some_and(|source| world.open.contains_key(&source)) {
                    return Err(Error::Code(ErrorCode::Ebadf));
                }
                Ok(world.loops.poll_start(id, events.into())?)
            })
        }

        pub fn stop(&self) {
            with(|world| world.loops.poll_stop(self.0.0));
        }
    }
}

impl signal::Signal {
    /// Every signal is granted.
    fn watch(&self, signum: i32, oneshot: bool) -> Result<(), Error> {
        Ok(with(|world| world.loops.signal_start(self.0.0, signum, oneshot, |_| true))?)
    }

    pub fn start(&self, signum: i32) -> Result<(), Error> {
        self.watch(signum, false)
    }

    pub fn start_oneshot(&self, signum: i32) -> Result<(), Error> {
        self.watch(signum, true)
    }

    pub fn stop(&self) {
        with(|world| world.loops.signal_stop(self.0.0));
    }

    pub fn signum(&self) -> Result<i32, Error> {
        Ok(with(|world| world.loops.signal_signum(self.0.0))?)
    }
}

pub(crate) mod async_sender {
    use super::{Error, ErrorCode, Rc, Received, RefCell, with};

    /// A connection that the test has made.
    pub struct AsyncSender {
        name: String,
        received: Rc<RefCell<Received>>,
    }

    impl AsyncSender {
        pub fn open(name: &str) -> Result<AsyncSender, Error> {
            with(|world| match world.names.connections.get_mut(name) {
                None => Err(Error::Code(ErrorCode::Enoent)),
                Some((_, true)) => Err(Error::Code(ErrorCode::Ebusy)),
                Some((received, is_open)) => {
                    *is_open = true;
                    Ok(AsyncSender { name: name.to_owned(), received: received.clone() })
                }
            })
        }

        pub fn send(&self) -> Result<(), Error> {
            self.received.borrow_mut().sends += 1;
            Ok(())
        }

        pub fn send_message(&self, message: &[u8]) -> Result<(), Error> {
            self.received.borrow_mut().messages.push_back(message.to_vec());
            self.send()
        }
    }

    impl Drop for AsyncSender {
        fn drop(&mut self) {
            with(|world| {
                // The test may have made another connection with this name.
                if let Some((received, is_open)) = world.names.connections.get_mut(&self.name)
                    && Rc::ptr_eq(received, &self.received)
                {
                    *is_open = false;
                }
            });
        }
    }
}
