//! Calls that must not block and have no flag for it. Each call sets the mode of its description; a
//! holder that changed the mode puts it back when it is dropped.
//!
//! Several holders may share a description, and the system tells that only by comparing them one by
//! one. So no mode is put back while a call on a descriptor of the same inode is in progress, which
//! relies on the mode. A later call sets the mode again, and its holder puts it back in turn.

use crate::os::unix::fd::duplicate;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl, fstat};
use rustix::io;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard, TryLockError};

/// The device and the inode of a file.
type Key = (libc::dev_t, libc::ino_t);

/// The inodes of the descriptors that are held, with the number of holders. All eventfds have the same
/// inode, for example.
static INODES: Mutex<BTreeMap<Key, (Arc<Inode>, usize)>> = Mutex::new(BTreeMap::new());

/// The descriptors of an inode.
#[derive(Debug)]
struct Inode {
    key: Key,
    /// Read during each call, and written to put modes back.
    calls: RwLock<()>,
    /// Duplicates of descriptors whose mode the last call puts back.
    left: Mutex<Vec<OwnedFd>>,
}

impl Inode {
    /// Counts one more holder, and returns the inode.
    fn hold(fd: BorrowedFd<'_>) -> io::Result<Arc<Inode>> {
        let stat = fstat(fd)?;
        let key = (stat.st_dev, stat.st_ino);
        let new = || (Arc::new(Inode { key, calls: RwLock::default(), left: Mutex::default() }), 0);
        let mut inodes = lock(&INODES);
        let (inode, holders) = inodes.entry(key).or_insert_with(new);
        *holders += 1;
        Ok(inode.clone())
    }

    /// Returns a guard during which no call is in progress, or `None` if one is.
    fn without_calls(&self) -> Option<RwLockWriteGuard<'_, ()>> {
        match self.calls.try_write() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Puts back the mode of a descriptor. While a call is in progress, that is left to the call.
    fn put_back(&self, fd: BorrowedFd<'_>) {
        let mut left = lock(&self.left);
        // Nothing is left to be done if one of these fails.
        if let Some(_guard) = self.without_calls() {
            let _ = set_nonblocking(fd, false);
        } else {
            left.extend(duplicate(fd));
        }
    }

    /// Puts back the modes that were left to calls.
    fn put_all_back(&self) {
        let mut left = lock(&self.left);
        if !left.is_empty()
            && let Some(_guard) = self.without_calls()
        {
            for fd in left.drain(..) {
                let _ = set_nonblocking(fd, false);
            }
        }
    }
}

/// Calls that must not block, on a descriptor whose calls have no flag for it.
#[derive(Debug)]
pub(super) struct Held {
    inode: Arc<Inode>,
    /// A call found the description in blocking mode.
    was_blocking: AtomicBool,
}

impl Held {
    pub(super) fn new(fd: BorrowedFd<'_>) -> io::Result<Held> {
        Ok(Held { inode: Inode::hold(fd)?, was_blocking: AtomicBool::new(false) })
    }

    /// Calls a function with the descriptor in non-blocking mode.
    pub(super) fn call<'fd, T>(
        &self,
        fd: BorrowedFd<'fd>,
        call: impl FnOnce(BorrowedFd<'fd>) -> io::Result<T>,
    ) -> io::Result<T> {
        let calling = self.inode.calls.read().unwrap_or_else(PoisonError::into_inner);
        let result = set_nonblocking(fd, true).and_then(|changed| {
            if changed {
                self.was_blocking.store(true, Ordering::Relaxed);
            }
            call(fd)
        });
        drop(calling);
        self.inode.put_all_back();
        result
    }

    /// Puts the descriptor's mode back if a call has changed it. No call follows.
    pub(super) fn put_back(&self, fd: BorrowedFd<'_>) {
        if self.was_blocking.load(Ordering::Relaxed) {
            self.inode.put_back(fd);
        }
    }
}
impl Drop for Held {
    fn drop(&mut self) {
        if let Entry::Occupied(mut inode) = lock(&INODES).entry(self.inode.key) {
            let (_, holders) = inode.get_mut();
            *holders -= 1;
            if *holders == 0 {
                inode.remove();
            }
        }
    }
}

/// Locks a list or table. It is valid at any moment, so poisoning is ignored.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::unix::test_terminal::pipe;
    use std::sync::mpsc;
    use std::thread;

    fn is_nonblocking(fd: impl AsFd) -> bool {
        fcntl_getfl(fd).unwrap().contains(OFlags::NONBLOCK)
    }

    /// Two holders of one description, each with a descriptor, and another descriptor of it.
    fn holders() -> ([Holder; 2], OwnedFd) {
        let (read, _) = pipe();
        ([(); 2].map(|()| Holder::new(read.try_clone().unwrap())), read)
    }

    struct Holder {
        held: Held,
        fd: OwnedFd,
    }

    impl Holder {
        fn new(fd: OwnedFd) -> Holder {
            Holder { held: Held::new(fd.as_fd()).unwrap(), fd }
        }

        /// Returns whether the descriptor is in non-blocking mode during the call.
        fn call(&self) -> bool {
            self.held.call(self.fd.as_fd(), |fd| Ok(is_nonblocking(fd))).unwrap()
        }

        fn end(self) {
            self.held.put_back(self.fd.as_fd());
        }
    }

    #[test]
    fn a_mode_is_not_put_back_during_a_call_of_another_holder() {
        let ([first, second], fd) = holders();
        assert!(first.call());
        let (inside, is_inside) = mpsc::channel();
        let (finish, finished) = mpsc::channel::<()>();
        let call = thread::spawn(move || {
            let was_nonblocking = second.held.call(second.fd.as_fd(), |fd| {
                inside.send(()).unwrap();
                finished.recv().unwrap();
                Ok(is_nonblocking(fd))
            });
            (was_nonblocking, second)
        });
        is_inside.recv().unwrap();
        first.end();
        assert!(is_nonblocking(&fd));
        finish.send(()).unwrap();
        let (was_nonblocking, _second) = call.join().unwrap();
        assert_eq!(was_nonblocking, Ok(true));
        assert!(!is_nonblocking(&fd), "the call put the mode back when it ended");
    }

    #[test]
    fn each_holder_puts_back_its_own_change() {
        let ([first, second], fd) = holders();
        assert!(first.call() && second.call());
        first.end();
        assert!(!is_nonblocking(&fd));
        assert!(second.call() && is_nonblocking(&fd));
        second.end();
        assert!(!is_nonblocking(&fd));
    }

    #[test]
    fn a_mode_that_was_there_before_stays() {
        let ([first, second], fd) = holders();
        set_nonblocking(&fd, true).unwrap();
        assert!(first.call());
        first.end();
        second.end();
        assert!(is_nonblocking(&fd));
    }

    #[test]
    fn an_inode_is_forgotten_with_its_last_holder() {
        let ([first, second], _fd) = holders();
        let key = first.held.inode.key;
        drop(first);
        assert!(lock(&INODES).contains_key(&key));
        drop(second);
        assert!(!lock(&INODES).contains_key(&key));
    }
}
