//! Waiting for a loop's poll from outside: its descriptor can itself be polled.

use crate::os::native::selector::Selector;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use std::io;
#[cfg(feature = "concurrent")]
use std::{
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};
#[cfg(feature = "async")]
use {crate::os::unix::fd::RawFd, std::task, tokio::io::unix::AsyncFd};

/// The watchers of a poll. They are dropped before the poll.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    /// The poll as registered with tokio, once a task has waited for it.
    #[cfg(feature = "async")]
    in_task: Option<AsyncFd<RawFd>>,
    /// A duplicate of the poll, registered with tokio, for waits that outlive a borrow of the
    /// poller.
    #[cfg(feature = "concurrent")]
    shared: Option<Shared>,
    /// A plugin set watches the poll.
    is_in_set: bool,
}

impl Outside {
    /// Registers the poll with tokio.
    #[cfg(feature = "async")]
    pub(crate) fn watch_in_task(&mut self, selector: &Selector) -> io::Result<()> {
        if self.in_task.is_none() {
            self.in_task = Some(watched_by_tokio(selector.fd())?);
        }
        Ok(())
    }

    /// Returns whether the OS has events. If not, the task is woken when it has. The poll must be
    /// registered with tokio.
    #[cfg(feature = "async")]
    pub(crate) fn has_something(&self, context: &mut task::Context<'_>) -> task::Poll<io::Result<()>> {
        match &self.in_task {
            Some(watched) => watched.poll_read_ready(context).map_ok(|mut guard| guard.clear_ready()),
            None => task::Poll::Pending,
        }
    }

    /// Returns the poll as registered with tokio, for a wait that owns it.
    #[cfg(feature = "concurrent")]
    pub(crate) fn watch_shared(&mut self, selector: &Selector) -> io::Result<Shared> {
        if let Some(shared) = &self.shared {
            return Ok(shared.clone());
        }
        let duplicate = rustix::io::fcntl_dupfd_cloexec(selector.registry().as_fd(), 0)?;
        let shared = Shared(Arc::new(watched_with(duplicate)?));
        self.shared = Some(shared.clone());
        Ok(shared)
    }

    /// Registers the poll with that of a set, unless it is registered.
    pub(crate) fn watch_in_set(
        &mut self,
        selector: &Selector,
        set: &Registry,
        token: Token,
    ) -> io::Result<()> {
        if !self.is_in_set {
            set.register(&mut SourceFd(&selector.fd()), token, Interest::READABLE)?;
            self.is_in_set = true;
        }
        Ok(())
    }

    /// Takes the poll out of that of a set.
    pub(crate) fn forget_in_set(&mut self, selector: &Selector, set: &Registry) {
        if std::mem::take(&mut self.is_in_set) {
            // It fails only for a poll that is not watched, which is the desired state.
            let _ = set.deregister(&mut SourceFd(&selector.fd()));
        }
    }
}

/// A poll that a wait owns.
#[cfg(feature = "concurrent")]
#[derive(Debug, Clone)]
pub(crate) struct Shared(Arc<AsyncFd<OwnedFd>>);

#[cfg(feature = "concurrent")]
impl Shared {
    /// Waits until the OS has events. The future can be dropped at any time.
    pub(crate) async fn has_something(&self) -> io::Result<()> {
        self.0.readable().await.map(|mut guard| guard.clear_ready())
    }
}

#[cfg(feature = "async")]
#[expect(
    unsafe_code,
    reason = "tokio cannot check that the descriptor stays open; a duplicate would use one more"
)]
fn watched_by_tokio(poll: RawFd) -> io::Result<AsyncFd<RawFd>> {
    // SAFETY: the poll owns the descriptor and outlives the registration: see the field order of
    // `Poller`.
    let watched = unsafe { AsyncFd::register_with_interest(poll, tokio::io::Interest::READABLE) };
    watched.map_err(Into::into)
}

/// Registers a descriptor with tokio.
#[cfg(feature = "concurrent")]
#[expect(unsafe_code, reason = "tokio cannot check that the descriptor stays open")]
fn watched_with(duplicate: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` keeps its descriptor open until it is dropped, and the registration owns
    // it.
    let watched = unsafe { AsyncFd::register_with_interest(duplicate, tokio::io::Interest::READABLE) };
    watched.map_err(Into::into)
}
