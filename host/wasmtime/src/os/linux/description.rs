//! Open file descriptions: a separate one of the same file, and whether two are the same.

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, major, minor, open};
use rustix::io;
use std::cmp::Ordering;
use std::io::IsTerminal;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::process;

/// Reopens a pipe or terminal, with a separate non-blocking file description. Returns `None` for
/// other files, and where the OS refuses.
pub(crate) fn reopen(stream: BorrowedFd<'_>, direction: OFlags) -> io::Result<Option<OwnedFd>> {
    Ok(match may_reopen(stream, &fstat(stream)?) {
        true => by_name(stream, direction).ok(),
        false => None,
    })
}

/// Returns whether reopening the stream's file yields the same pipe or terminal.
fn may_reopen(stream: BorrowedFd<'_>, stat: &Stat) -> bool {
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Fifo => true,
        // These names refer to a different terminal each time: /dev/tty, /dev/console, /dev/ptmx,
        // /dev/tty0.
        FileType::CharacterDevice => {
            let alias = major(stat.st_rdev) == 5 || (major(stat.st_rdev), minor(stat.st_rdev)) == (4, 0);
            stream.is_terminal() && !alias
        }
        _ => false,
    }
}

/// Opens a pipe or terminal by its name in Linux's /proc.
fn by_name(stream: BorrowedFd<'_>, direction: OFlags) -> io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", stream.as_raw_fd());
    open(path, direction | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())
}

/// Compares the descriptions of two descriptors, in an order of the OS. If the OS does not tell, they
/// are taken to be the same: a description then may stay in non-blocking mode.
pub(crate) fn compare(one: &OwnedFd, two: &OwnedFd) -> Ordering {
    const KCMP_FILE: libc::c_int = 0;
    let pid = process::id();
    #[expect(unsafe_code, reason = "the call has no safe function")]
    // SAFETY: it takes numbers only, and compares this process's descriptors.
    let order =
        unsafe { libc::syscall(libc::SYS_kcmp, pid, pid, KCMP_FILE, one.as_raw_fd(), two.as_raw_fd()) };
    match order {
        1 => Ordering::Less,
        2 => Ordering::Greater,
        _ => Ordering::Equal,
    }
}
