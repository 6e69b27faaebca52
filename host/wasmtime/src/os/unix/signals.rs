//! Signal handling for all guests of the process.
//!
//! The handler appends the signal's number to a log, wakes the loops by `signal_wakes` and calls
//! the handler that was installed before. Every guest reads the log from its own position.
//!
//! `unsafe` is needed because sigaction takes a function that runs at any moment, because calling
//! the previous handler means calling an address from the OS.

#![expect(unsafe_code, reason = "signal handlers: see above")]

use crate::os::deliveries::{LOG, SIGNALS};
use crate::os::native::signal_numbers::{guest_number, host_number};
use crate::os::native::signal_wakes;
use crate::os::unix::errno::errno_location;
use crate::os::unix::signal_mask;
use crate::os::unix::signal_thread::SignalThread;
use std::io;
use std::mem::{MaybeUninit, transmute};
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    /// A guest watches the signal from a thread that blocks it, as all others may.
    thread: Option<SignalThread>,
}

/// Starts to catch a signal on behalf of one guest. A signal that the calling thread blocks is
/// delivered nevertheless.
pub(crate) fn watch(signum: i32) -> io::Result<()> {
    signal_wakes::prepare();
    let mut installed = installed();
    let slot = &mut installed[signum as usize];
    let entry = install(signum, slot)?;
    let host = host_number(signum).unwrap_or(signum);
    if entry.thread.is_none() && signal_mask::is_blocked(host) {
        match SignalThread::start(host) {
            Ok(thread) => entry.thread = Some(thread),
            Err(error) => {
                release(signum, slot);
                return Err(error);
            }
        }
    }
    Ok(())
}

/// Counts one more guest, and installs the handler if necessary.
fn install(signum: i32, slot: &mut Option<Installed>) -> io::Result<&mut Installed> {
    let before = action(signum, None)?;
    // A handler installed later may call this one. Installing it again would make the two call each
    // other without end.
    let buried = before.sa_sigaction > libc::SIG_IGN;
    let stays = slot.as_ref().is_some_and(|entry| entry.guests > 0 || is_ours(&before) || buried);
    if !stays {
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
        *slot = None;
    }
    let entry = slot.get_or_insert(Installed { guests: 0, before, thread: None });
    entry.guests += 1;
    Ok(entry)
}

/// Stops catching a signal for a guest for which `watch` succeeded. After the last guest, the
/// previous action is restored, if this handler is still the installed one.
pub(crate) fn unwatch(signum: i32) {
    release(signum, &mut installed()[signum as usize]);
}

fn release(signum: i32, slot: &mut Option<Installed>) {
    let Some(entry) = slot else {
        return;
    };
    entry.guests = entry.guests.saturating_sub(1);
    if entry.guests > 0 {
        return;
    }
    // The signal is blocked again before its action is restored: the action may be to end the
    // process.
    entry.thread = None;
    if action(signum, None).is_ok_and(|now| is_ours(&now)) && action(signum, Some(&entry.before)).is_ok() {
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
    let signum = host_number(signum).ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))?;
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

/// The signal handler. It runs at any moment on any thread, so it uses only atomics and write(2).
extern "C" fn on_signal(signum: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the location of errno is valid on every thread.
    let errno = unsafe { *errno_location() };
    // Only signals that have a number are caught.
    let guest = guest_number(signum).unwrap_or(0);
    LOG.append(guest);
    signal_wakes::wake_all();
    let (address, flags) = &PREVIOUS[guest as usize];
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
    unsafe { *errno_location() = errno };
}
