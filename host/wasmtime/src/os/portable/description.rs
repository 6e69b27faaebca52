//! Separate open file descriptions of a file.

use rustix::fs::{Mode, OFlags, open, stat};
use rustix::io;
use std::ffi::CStr;
use std::io::IsTerminal;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

/// These names refer to a different terminal each time.
const ALIASES: [&CStr; 5] = [c"/dev/ptmx", c"/dev/pts/ptmx", c"/dev/tty", c"/dev/console", c"/dev/tty0"];

/// The longest name of a terminal.
const NAME: usize = 256;

/// Reopens a terminal by its name, with a separate non-blocking file description. Returns `None` for
/// other files, which have no name, and where the OS refuses.
pub(crate) fn reopen(stream: BorrowedFd<'_>, direction: OFlags) -> io::Result<Option<OwnedFd>> {
    if !stream.is_terminal() {
        return Ok(None);
    }
    let mut name = [0; NAME];
    #[expect(unsafe_code, reason = "ttyname_r has no safe function here")]
    // SAFETY: it writes at most `NAME` bytes.
    let result = unsafe { libc::ttyname_r(stream.as_raw_fd(), name.as_mut_ptr().cast(), NAME) };
    let Ok(name) = CStr::from_bytes_until_nul(&name) else { return Ok(None) };
    if ALIASES.contains(&name) {
        return Ok(None);
    }
    let flags = direction | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let reopened = || {
        // On some systems a master has the name of its slave, and a name may be reused.
        let (named, ours) = (stat(name)?, rustix::fs::fstat(stream)?);
        match (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino) {
            true => open(name, flags, Mode::empty()).map(Some),
            false => Ok(None),
        }
    };
    match result {
        0 => Ok(reopened().unwrap_or(None)),
        _ => Ok(None),
    }
}
