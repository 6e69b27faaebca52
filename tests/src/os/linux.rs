//! Threads by number, and epoll: Linux alone has them.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// A thread of this process, as the OS names it.
#[derive(Debug, Clone, Copy)]
pub struct Thread(libc::pid_t);

impl Thread {
    /// The thread that asks.
    pub fn current() -> Thread {
        // SAFETY: it takes nothing and cannot fail.
        Thread(unsafe { libc::gettid() })
    }

    /// Sends a signal to this very thread.
    pub fn kill(self, signum: i32) {
        // SAFETY: it takes numbers only. What the signal does is the test's business.
        let result = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), self.0, signum) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
    }

    /// Whether the thread waits for something, as the OS sees it.
    pub fn waits(self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/self/task/{}/stat", self.0)).unwrap();
        // The name before it is in parentheses and may contain anything.
        let (_, after_name) = stat.rsplit_once(") ").expect("the name of the thread");
        after_name.starts_with('S')
    }
}

/// A descriptor that polls others: none yet.
pub fn epoll() -> OwnedFd {
    // SAFETY: it takes a flag.
    let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    assert!(fd >= 0, "{}", io::Error::last_os_error());
    // SAFETY: the call succeeded, so it is open, and it has no other owner.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Adds a readable descriptor to an epoll descriptor.
pub fn epoll_add(epoll: BorrowedFd<'_>, fd: BorrowedFd<'_>) {
    let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
    // SAFETY: both are open, and the event is valid for the call.
    let result =
        unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &raw mut event) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}
