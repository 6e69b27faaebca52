//! Open file descriptions that are held in non-blocking mode. The last holder of a description in this
//! process puts its mode back.

use crate::os::native::description::compare;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl, fstat};
use rustix::io;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The device and the inode of a file.
type Key = (libc::dev_t, libc::ino_t);

/// All descriptions that are held in non-blocking mode, by device and inode of their files. All
/// eventfds have the same inode, for example, so the descriptions of a file are in the order of
/// [`compare`].
static HELD: Mutex<BTreeMap<Key, Vec<Description>>> = Mutex::new(BTreeMap::new());

/// An open file description.
#[derive(Debug)]
struct Description {
    was_blocking: bool,
    /// A descriptor of each holder.
    holders: Vec<Arc<OwnedFd>>,
}

/// A hold on an open file description, which is in non-blocking mode meanwhile.
#[derive(Debug)]
pub(super) struct Held {
    fd: Arc<OwnedFd>,
    key: Key,
}

impl Held {
    pub(super) fn new(fd: Arc<OwnedFd>) -> io::Result<Held> {
        let stat = fstat(&fd)?;
        let key = (stat.st_dev, stat.st_ino);
        let mut held = held();
        let was_blocking = set_nonblocking(&fd, true)?;
        let descriptions = held.entry(key).or_default();
        match place(descriptions, &fd) {
            Ok(known) => {
                descriptions[known].was_blocking |= was_blocking;
                descriptions[known].holders.push(fd.clone());
            }
            Err(at) => descriptions.insert(at, Description { was_blocking, holders: vec![fd.clone()] }),
        }
        Ok(Held { fd, key })
    }

    /// Returns the descriptor. Others may have changed the mode, so it is set again.
    pub(super) fn fd(&self) -> io::Result<BorrowedFd<'_>> {
        if set_nonblocking(&self.fd, true)? {
            self.with(&mut held(), |description| description.was_blocking = true);
        }
        Ok(self.fd.as_fd())
    }

    /// Calls a function with the entry of the description.
    fn with(&self, held: &mut BTreeMap<Key, Vec<Description>>, change: impl FnOnce(&mut Description)) {
        if let Some(descriptions) = held.get_mut(&self.key)
            && let Ok(at) = place(descriptions, &self.fd)
        {
            change(&mut descriptions[at]);
            if descriptions[at].holders.is_empty() {
                descriptions.remove(at);
            }
            if descriptions.is_empty() {
                held.remove(&self.key);
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // The table stays locked until the mode is put back: a new holder must not come between.
        let mut held = held();
        self.with(&mut held, |description| {
            description.holders.retain(|fd| !Arc::ptr_eq(fd, &self.fd));
            if description.holders.is_empty() && description.was_blocking {
                // Nothing is left to be done if that fails.
                let _ = set_nonblocking(&self.fd, false);
            }
        });
    }
}

/// Locks the table. It is valid at any moment, so poisoning is ignored.
fn held() -> MutexGuard<'static, BTreeMap<Key, Vec<Description>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns where a description is, or where it belongs.
fn place(descriptions: &[Description], fd: &OwnedFd) -> Result<usize, usize> {
    descriptions.binary_search_by(|known| compare(&known.holders[0], fd))
}

/// Switches the file description's mode and returns whether that changed it.
pub(crate) fn set_nonblocking(fd: impl AsFd, nonblocking: bool) -> io::Result<bool> {
    let flags = fcntl_getfl(&fd)?;
    let mut wanted = flags;
    wanted.set(OFlags::NONBLOCK, nonblocking);
    if wanted != flags {
        fcntl_setfl(&fd, wanted)?;
    }
    Ok(wanted != flags)
}

/// Linux alone tells descriptions of one inode apart.
#[cfg(all(test, target_os = "linux", not(feature = "portable-os")))]
mod tests {
    use super::*;
    use rustix::event::{EventfdFlags, eventfd};
    use std::time::{Duration, Instant};

    fn new_eventfd() -> Arc<OwnedFd> {
        Arc::new(eventfd(0, EventfdFlags::CLOEXEC).unwrap())
    }

    /// Returns how long it takes to hold an eventfd beside so many others, which have the same inode.
    fn hold_beside(others: usize) -> Duration {
        let _others: Vec<Held> = (0..others).map(|_| Held::new(new_eventfd()).unwrap()).collect();
        let times = (0..50).map(|_| {
            let mine = new_eventfd();
            let begun = Instant::now();
            drop(Held::new(mine).unwrap());
            begun.elapsed()
        });
        times.min().unwrap()
    }

    #[test]
    fn a_description_is_compared_with_few_others_of_its_inode() {
        let (alone, beside) = (hold_beside(0), hold_beside(400));
        // A comparison with each of them takes more than a hundred times as long.
        assert!(beside < alone * 50, "{beside:?} beside 400 others, {alone:?} alone");
    }
}
