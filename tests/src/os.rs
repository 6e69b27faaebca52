//! The test's side of the OS: peers of the guests' descriptors, signals, and descriptors' modes.

use crate::PATIENCE;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::ptr;
use std::time::Duration;
use tempfile::TempDir;

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

/// A directory, and the name of a file in it that is not there yet.
pub fn place() -> (TempDir, String) {
    let dir = tempfile::tempdir().expect("there is room for temporary files");
    let path = dir.path().join("place").to_str().expect("a plain path").to_owned();
    (dir, path)
}

/// A listening socket on a free port, and its address.
pub fn listener() -> (TcpListener, std::net::SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A connection to that address, which waits with patience.
pub fn connect(address: std::net::SocketAddr) -> TcpStream {
    patient_tcp(TcpStream::connect_timeout(&address, PATIENCE).expect("somebody listens"))
}

/// The next connection to a listening socket. Both wait with patience.
///
/// # Panics
///
/// If no connection comes.
pub fn accept(listener: &TcpListener) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let mut accepted = None;
    crate::wait_until("somebody connects", || {
        accepted = listener.accept().ok();
        accepted.is_some()
    });
    let (stream, _) = accepted.expect("it has been waited for");
    stream.set_nonblocking(false).unwrap();
    patient_tcp(stream)
}

/// A connection that waits with patience.
fn patient_tcp(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Three clients at once of an echo server. Each sends more than fits into both directions' buffers
/// together, so every side has to wait.
///
/// # Panics
///
/// If something else comes back.
pub fn echo_clients(address: std::net::SocketAddr) {
    std::thread::scope(|scope| {
        for n in 0..3u8 {
            scope.spawn(move || {
                let mut client = connect(address);
                let mut sends = client.try_clone().unwrap();
                let sent: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8 ^ n).collect();
                let expected = sent.clone();
                scope.spawn(move || {
                    sends.write_all(&sent).unwrap();
                    sends.shutdown(Shutdown::Write).unwrap();
                });
                let mut received = Vec::new();
                client.read_to_end(&mut received).unwrap();
                assert!(received == expected, "{} bytes came back", received.len());
            });
        }
    });
}

/// Two ends of a TCP connection. The first is this side's: it waits with patience.
pub fn tcp_pair() -> (TcpStream, TcpStream) {
    let (listener, address) = listener();
    let ours = connect(address);
    let (theirs, _) = listener.accept().unwrap();
    (ours, theirs)
}

/// An address that refuses connections, and one end of a connection that keeps the address taken.
pub fn refusing_address() -> (TcpStream, std::net::SocketAddr) {
    let (ours, _) = tcp_pair();
    let address = ours.local_addr().unwrap();
    (ours, address)
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

/// Serves two connections, with a word each. When the second one ends, it no longer listens.
pub fn serve_two_connections(listener: TcpListener) {
    accept(&listener).write_all(b"one").unwrap();
    let mut last = accept(&listener);
    drop(listener);
    last.write_all(b"two").unwrap();
}

/// Reads until the buffer is full. It fails with a clear message if nothing comes.
pub fn read_exactly(mut from: impl Read, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes).expect("the guest writes that much");
    bytes
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
