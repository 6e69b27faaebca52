//! Separate open file descriptions of a file.

use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, major, minor, open};
use rustix::io;
use std::io::IsTerminal;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

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
