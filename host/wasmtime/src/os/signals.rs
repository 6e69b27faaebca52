//! Signal handling for all guests of the process.
//!
//! The handler appends the signal's number to a log, writes to the eventfds of `signal_wakes` and
//! calls the handler that was installed before. Every loop that watches signals has an eventfd in
//! its poll, edge-triggered: each write wakes each loop, and the eventfds need not be read. Every
//! guest reads the log from its own position.
//!
//! `unsafe` is needed because sigaction takes a function that runs at any moment, because calling
//! the previous handler means calling an address from the OS, and because the OS's functions for
//! signal masks are C.

#![expect(unsafe_code, reason = "signal handlers: see above")]

use crate::os::signal_log::SignalLog;
use crate::os::signal_wakes;
use rustix::io::Errno;
use std::io;
use std::mem::{MaybeUninit, transmute};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One more than the largest signal number of Linux.
const SIGNALS: usize = 65;

/// The number of deliveries in the log. A reader that falls further behind loses the oldest.
/// libuv's signal pipe holds 4,096 and loses the newest.
const LENGTH: usize = 1 << 14;

static LOG: SignalLog<LENGTH> =
    SignalLog { head: AtomicU64::new(0), entries: [const { AtomicU64::new(0) }; LENGTH] };

/// The handlers that were installed before this one: address and flags.
static PREVIOUS: [(AtomicUsize, AtomicI32); SIGNALS] =
    [const { (AtomicUsize::new(libc::SIG_DFL), AtomicI32::new(0)) }; SIGNALS];

static INSTALLED: Mutex<[Option<Installed>; SIGNALS]> = Mutex::new([const { None }; SIGNALS]);

/// A signal with an installed handler.
struct Installed {
    /// The number of guests that watch the signal. It is 0 if another handler was installed later,
    /// which calls this one: this handler must stay installed, but is not needed.
    guests: usize,
    /// The action to restore.
    before: libc::sigaction,
}

/// Returns the end of the log. A reader that starts here sees later deliveries only.
pub(crate) fn head() -> u64 {
    LOG.head()
}

/// Reports the deliveries from `position` on in order, and advances `position`.
pub(crate) fn read(position: &mut u64, delivered: impl FnMut(i32)) {
    LOG.read(position, delivered);
}

/// Starts to catch a signal on behalf of one guest.
pub(crate) fn watch(signum: i32) -> io::Result<()> {
    let mut installed = installed();
    let slot = &mut installed[signum as usize];
    let before = action(signum, None)?;
    // A handler installed later may call this one. Installing it again would make the two call each
    // other without end.
    let buried = before.sa_sigaction > libc::SIG_IGN;
    if let Some(installed) = slot
        && (installed.guests > 0 || is_ours(&before) || buried)
    {
        installed.guests += 1;
        return Ok(());
    }
    let (address, flags) = &PREVIOUS[signum as usize];
    flags.store(before.sa_flags, Ordering::Release);
    address.store(before.sa_sigaction, Ordering::Release);
    // SAFETY: all-zero bytes are a valid sigaction; every field that matters is set below.
    let mut ours: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    ours.sa_sigaction = on_signal as *const () as usize;
    ours.sa_flags = libc::SA_RESTART | libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the mask is a valid place to write to.
    unsafe { libc::sigfillset(&raw mut ours.sa_mask) };
    action(signum, Some(&ours))?;
    *slot = Some(Installed { guests: 1, before });
    Ok(())
}

/// Stops catching a signal for a guest for which `watch` succeeded. After the last guest, the
/// previous action is restored, if this handler is still the installed one.
pub(crate) fn unwatch(signum: i32) {
    let mut installed = installed();
    let slot = &mut installed[signum as usize];
    let Some(entry) = slot else {
        return;
    };
    entry.guests = entry.guests.saturating_sub(1);
    if entry.guests == 0
        && action(signum, None).is_ok_and(|now| is_ours(&now))
        && action(signum, Some(&entry.before)).is_ok()
    {
        *slot = None;
    }
}

/// Locks the table. It is valid at any moment, so poisoning is ignored and a panic does not affect
/// other guests.
fn installed() -> MutexGuard<'static, [Option<Installed>; SIGNALS]> {
    INSTALLED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_ours(action: &libc::sigaction) -> bool {
    action.sa_sigaction == on_signal as *const () as usize
}

/// sigaction(2): installs an action if one is given, and returns the previous one.
fn action(signum: i32, new: Option<&libc::sigaction>) -> io::Result<libc::sigaction> {
    let mut old = MaybeUninit::zeroed();
    // SAFETY: both pointers are null or valid for the call. The installed action is a handler that
    // is async-signal-safe, or an action from the OS.
    let result = unsafe { libc::sigaction(signum, new.map_or(ptr::null(), ptr::from_ref), old.as_mut_ptr()) };
    match result {
        // SAFETY: the call succeeded and has initialized it.
        0 => Ok(unsafe { old.assume_init() }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Makes a write to a pipe without a reader fail with EPIPE only, whatever the embedder's SIGPIPE
/// action. The signal is directed at the writing thread, so it is blocked on that thread and then
/// consumed.
pub(crate) fn without_sigpipe<T>(write: impl FnOnce() -> Result<T, Errno>) -> Result<T, Errno> {
    if action(libc::SIGPIPE, None).is_ok_and(|action| action.sa_sigaction == libc::SIG_IGN) {
        return write();
    }
    // SAFETY: all-zero bytes are a valid sigset_t and timespec, and all pointers are valid for the
    // calls, which affect only this thread's mask and pending signals.
    unsafe {
        let mut sigpipe: libc::sigset_t = MaybeUninit::zeroed().assume_init();
        let (mut pending, mut mask) = (sigpipe, sigpipe);
        libc::sigemptyset(&raw mut sigpipe);
        libc::sigaddset(&raw mut sigpipe, libc::SIGPIPE);
        libc::sigpending(&raw mut pending);
        let was_pending = libc::sigismember(&raw const pending, libc::SIGPIPE) == 1;
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const sigpipe, &raw mut mask);
        let result = write();
        if matches!(result, Err(Errno::PIPE)) && !was_pending {
            let at_once: libc::timespec = MaybeUninit::zeroed().assume_init();
            libc::sigtimedwait(&raw const sigpipe, ptr::null_mut(), &raw const at_once);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, ptr::null_mut());
        result
    }
}

/// The signal handler. It runs at any moment on any thread, so it uses only atomics and write(2).
extern "C" fn on_signal(signum: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the location of errno is valid on every thread.
    let errno = unsafe { *libc::__errno_location() };
    LOG.append(signum);
    let one = 1u64;
    signal_wakes::for_each(|eventfd| {
        // SAFETY: the buffer has eight valid bytes, and write(2) is async-signal-safe. It fails only
        // if the counter is full, and then the descriptor is readable anyway.
        unsafe { libc::write(eventfd, (&raw const one).cast(), size_of::<u64>()) };
    });
    let (address, flags) = &PREVIOUS[signum as usize];
    let (address, flags) = (address.load(Ordering::Acquire), flags.load(Ordering::Acquire));
    if address != libc::SIG_DFL && address != libc::SIG_IGN {
        if flags & libc::SA_SIGINFO != 0 {
            type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);
            // SAFETY: the OS returned this address as a handler with SA_SIGINFO.
            unsafe { transmute::<usize, Handler>(address)(signum, info, context) };
        } else {
            type Handler = extern "C" fn(libc::c_int);
            // SAFETY: the OS returned this address as a handler without SA_SIGINFO.
            unsafe { transmute::<usize, Handler>(address)(signum) };
        }
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}
