//! The calls that every Unix system has.

use crate::PATIENCE;
use std::io::{self, PipeReader, PipeWriter};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::ptr;
use std::time::Duration;
use tokio::net::unix::pipe::Receiver;
use wasmtime_wasi::cli::{AsyncStdinStream, OutputFile, StdinStream};
use wasmtime_wasi::runtime::with_ambient_tokio_runtime;

/// A pipe as WASI's standard input.
pub fn stdin(pipe: PipeReader) -> impl StdinStream + 'static {
    let pipe = with_ambient_tokio_runtime(|| Receiver::from_owned_fd(pipe.into()));
    AsyncStdinStream::new(pipe.expect("it is a pipe"))
}

/// A pipe as one of WASI's standard outputs.
pub fn output(pipe: PipeWriter) -> OutputFile {
    OutputFile::new(std::fs::File::from(OwnedFd::from(pipe)))
}

/// How much of a processor this thread has used.
pub fn cpu_time() -> Duration {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// How much of the processors this process has used.
pub fn process_cpu_time() -> Duration {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

fn clock(id: libc::clockid_t) -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: the pointer is valid for the call, and zeroed bytes are a valid timespec.
    let time = unsafe {
        libc::clock_gettime(id, time.as_mut_ptr());
        time.assume_init()
    };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Two connected sockets. The first is this side's: it waits with patience.
pub fn stream_pair() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().expect("the OS has sockets");
    (patient(ours), theirs)
}

/// A connection that waits with patience.
pub fn patient(stream: UnixStream) -> UnixStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Closes a connection with a reset instead of an end.
pub fn reset(stream: TcpStream) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    // SAFETY: the pointer and the length describe one linger.
    let result = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size_of::<libc::linger>() as libc::socklen_t,
        )
    };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// Sends a byte of TCP's urgent data.
pub fn send_urgent(stream: &TcpStream, byte: u8) {
    // SAFETY: the pointer is valid for one byte.
    let sent = unsafe { libc::send(stream.as_raw_fd(), (&raw const byte).cast(), 1, libc::MSG_OOB) };
    assert_eq!(sent, 1, "{}", io::Error::last_os_error());
}

/// The flags of an open file description.
pub fn flags(fd: BorrowedFd<'_>) -> i32 {
    // SAFETY: the descriptor is open, and F_GETFL takes no argument.
    let flags = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) };
    assert!(flags >= 0, "{}", io::Error::last_os_error());
    flags
}

/// A pseudo-terminal: the side of the user who types, and the side of the program, which receives
/// the typed bytes unchanged.
pub fn terminal() -> (OwnedFd, OwnedFd) {
    let (mut ours, mut theirs): (RawFd, RawFd) = (-1, -1);
    // SAFETY: both places are valid for a descriptor, and null stands for the default everywhere
    // else.
    let result =
        unsafe { libc::openpty(&mut ours, &mut theirs, ptr::null_mut(), ptr::null_mut(), ptr::null_mut()) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
    // SAFETY: the call succeeded, so both are open, and they have no other owner.
    unsafe { (OwnedFd::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs)) }
}

/// Makes a named pipe.
pub fn make_fifo(path: &std::path::Path) {
    let path = std::ffi::CString::new(path.to_str().expect("a plain path")).unwrap();
    // SAFETY: the path is a string that ends with 0.
    let result = unsafe { libc::mkfifo(path.as_ptr(), 0o600) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// Sends this process a signal.
pub fn kill_self(signum: i32) {
    // SAFETY: it takes numbers only. What the signal does is the test's business.
    let result = unsafe { libc::kill(libc::getpid(), signum) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// Blocks a signal on this thread. Processes and threads that it makes inherit that.
pub fn block(signum: i32) -> io::Result<()> {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the set is initialized before it is used, and valid for the calls.
    let result = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), signum);
        libc::sigprocmask(libc::SIG_BLOCK, set.as_ptr(), ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Makes a file description non-blocking, or blocking.
pub fn set_nonblocking(fd: BorrowedFd<'_>, nonblocking: bool) {
    let others = flags(fd) & !libc::O_NONBLOCK;
    let mode = if nonblocking { libc::O_NONBLOCK } else { 0 };
    // SAFETY: the descriptor is open, and the argument is a plain number.
    let result = unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, others | mode) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// Lets this process open as many descriptors as its hard limit allows, and returns that number.
pub fn raise_descriptor_limit() -> usize {
    let mut limit = MaybeUninit::<libc::rlimit>::zeroed();
    // SAFETY: the place is valid for the limits, and zeroed bytes are valid limits.
    let mut limit = unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, limit.as_mut_ptr());
        limit.assume_init()
    };
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the limits are valid for the call.
    let result = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
    usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX)
}

/// Installs a handler for a signal in this process.
pub fn install(signum: i32, handler: extern "C" fn(libc::c_int)) {
    // SAFETY: all-zero bytes are a valid sigaction: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_sigaction = handler as *const () as usize;
    // SAFETY: the action is valid, and the caller's handler does what handlers may.
    let result = unsafe { libc::sigaction(signum, &raw const action, ptr::null_mut()) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// Lets a signal that this process ignores do again what it does to any program.
pub fn no_longer_ignore(signum: i32) {
    if installed(signum) == libc::SIG_IGN {
        // SAFETY: no code of this process runs because of it.
        unsafe { libc::signal(signum, libc::SIG_DFL) };
    }
}

/// The handler that is installed for a signal: an address, SIG_DFL or SIG_IGN.
pub fn installed(signum: i32) -> usize {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the place is valid for a sigaction, which the call fills.
    let (result, action) = unsafe {
        let result = libc::sigaction(signum, ptr::null(), action.as_mut_ptr());
        (result, action.assume_init())
    };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
    action.sa_sigaction
}
