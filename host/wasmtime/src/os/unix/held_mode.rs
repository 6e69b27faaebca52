//! Calls that must not block and have no flag for it. Each call sets the mode of its description; a
//! holder that changed the mode puts it back when it is dropped.
//!
//! Several holders may share a description, and the system tells that only by comparing them one by
//! one. So no mode is put back while a call on a descriptor of the same inode is in progress, which
//! relies on the mode. A later call sets the mode again, and its holder puts it back in turn.

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl, fstat};
use rustix::io;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, TryLockError};

/// The device and the inode of a file.
type Key = (libc::dev_t, libc::ino_t);

/// The inodes of the descriptors that are held in non-blocking mode. All eventfds have the same one,
/// for example.
static INODES: Mutex<BTreeMap<Key, Arc<Inode>>> = Mutex::new(BTreeMap::new());

/// The descriptors of an inode.
#[derive(Debug, Default)]
struct Inode {
    /// Read during each call, and written to put modes back.
    calls: RwLock<()>,
    /// Dropped descriptors whose mode is still to be put back.
    changed: Mutex<Vec<Arc<OwnedFd>>>,
}

impl Inode {
    /// Puts modes back, unless a call is in progress: that call does it then, at its end.
    fn put_back(&self) {
        let mut changed = lock(&self.changed);
        if changed.is_empty() {
            return;
        }
        let alone = self.calls.try_write();
        if matches!(alone, Err(TryLockError::WouldBlock)) {
            return;
        }
        for fd in changed.drain(..) {
            // Nothing is left to be done if that fails.
            let _ = set_nonblocking(&fd, false);
        }
    }
}

/// A descriptor that is in non-blocking mode during each call.
#[derive(Debug)]
pub(super) struct Held {
    fd: Arc<OwnedFd>,
    key: Key,
    inode: Arc<Inode>,
    /// A call found the description in blocking mode.
    was_blocking: AtomicBool,
}

impl Held {
    pub(super) fn new(fd: Arc<OwnedFd>) -> io::Result<Held> {
        let stat = fstat(&fd)?;
        let key = (stat.st_dev, stat.st_ino);
        let inode = lock(&INODES).entry(key).or_default().clone();
        Ok(Held { fd, key, inode, was_blocking: AtomicBool::new(false) })
    }

    /// Calls a function with the descriptor in non-blocking mode.
    pub(super) fn call<T>(&self, call: impl FnOnce(BorrowedFd<'_>) -> io::Result<T>) -> io::Result<T> {
        let calling = self.inode.calls.read().unwrap_or_else(PoisonError::into_inner);
        let result = set_nonblocking(&self.fd, true).and_then(|changed| {
            if changed {
                self.was_blocking.store(true, Ordering::Relaxed);
            }
            call(self.fd.as_fd())
        });
        drop(calling);
        self.inode.put_back();
        result
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.was_blocking.load(Ordering::Relaxed) {
            lock(&self.inode.changed).push(self.fd.clone());
            self.inode.put_back();
        }
        // The table's and this one.
        if let Entry::Occupied(inode) = lock(&INODES).entry(self.key)
            && Arc::strong_count(inode.get()) == 2
        {
            inode.remove();
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

    /// Two holders of one description, and another descriptor of it.
    fn holders() -> (Held, Held, OwnedFd) {
        let (read, _) = pipe();
        let again = read.try_clone().unwrap();
        let held = || Held::new(Arc::new(read.try_clone().unwrap())).unwrap();
        (held(), held(), again)
    }

    #[test]
    fn a_mode_is_not_put_back_during_a_call_of_another_holder() {
        let (first, second, fd) = holders();
        first.call(|_| Ok(())).unwrap();
        let (inside, is_inside) = mpsc::channel();
        let (finish, finished) = mpsc::channel::<()>();
        let call = thread::spawn(move || {
            let is_nonblocking = second.call(|fd| {
                inside.send(()).unwrap();
                finished.recv().unwrap();
                Ok(is_nonblocking(fd))
            });
            (is_nonblocking, second)
        });
        is_inside.recv().unwrap();
        drop(first);
        assert!(is_nonblocking(&fd));
        finish.send(()).unwrap();
        let (was_nonblocking, _second) = call.join().unwrap();
        assert_eq!(was_nonblocking, Ok(true));
        assert!(!is_nonblocking(&fd), "the call put the mode back when it ended");
    }

    #[test]
    fn each_holder_puts_back_its_own_change() {
        let (first, second, fd) = holders();
        first.call(|_| Ok(())).unwrap();
        second.call(|_| Ok(())).unwrap();
        drop(first);
        assert!(!is_nonblocking(&fd));
        second.call(|fd| Ok(assert!(is_nonblocking(fd)))).unwrap();
        assert!(is_nonblocking(&fd));
        drop(second);
        assert!(!is_nonblocking(&fd));
    }

    #[test]
    fn a_mode_that_was_there_before_stays() {
        let (first, second, fd) = holders();
        set_nonblocking(&fd, true).unwrap();
        first.call(|_| Ok(())).unwrap();
        drop((first, second));
        assert!(is_nonblocking(&fd));
    }

    #[test]
    fn an_inode_is_forgotten_with_its_last_holder() {
        let (first, second, _fd) = holders();
        let key = first.key;
        drop(first);
        assert!(lock(&INODES).contains_key(&key));
        drop(second);
        assert!(!lock(&INODES).contains_key(&key));
    }
}
