//! Console control events as signals, as in libuv: SIGINT is Ctrl+C, SIGBREAK is Ctrl+Break, and
//! SIGHUP is the closing of the console. Other signals can be watched, and never arrive.

#![expect(unsafe_code, reason = "the function of the system is C")]

use crate::os::deliveries::{LOG, SIGNALS};
use crate::os::listeners::wake_listeners;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
/// The number in the C library of this system. On Linux it is another signal, which this system does
/// not have.
const SIGBREAK: i32 = 21;

const CTRL_C_EVENT: u32 = 0;
const CTRL_BREAK_EVENT: u32 = 1;
const CTRL_CLOSE_EVENT: u32 = 2;

type Handler = unsafe extern "system" fn(u32) -> i32;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn SetConsoleCtrlHandler(handler: Option<Handler>, add: i32) -> i32;
}

/// The number of guests that watch each signal.
static GUESTS: Mutex<[usize; SIGNALS]> = Mutex::new([0; SIGNALS]);

/// Starts to catch a signal on behalf of one guest.
pub(crate) fn watch(signum: i32) -> io::Result<()> {
    let mut guests = guests();
    if guests.iter().all(|&guests| guests == 0) {
        set_handler(true)?;
    }
    guests[signum as usize] += 1;
    Ok(())
}

/// Stops catching a signal for a guest for which `watch` succeeded.
pub(crate) fn unwatch(signum: i32) {
    let mut guests = guests();
    guests[signum as usize] = guests[signum as usize].saturating_sub(1);
    if guests.iter().all(|&guests| guests == 0)
        && let Err(error) = set_handler(false)
    {
        tracing::error!(%error, "cannot stop catching console control events");
    }
}

fn set_handler(add: bool) -> io::Result<()> {
    // SAFETY: the function has the type of a handler, and stays for the life of the process.
    match unsafe { SetConsoleCtrlHandler(Some(on_control), add.into()) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// The handler. The system calls it in a thread of its own.
unsafe extern "system" fn on_control(event: u32) -> i32 {
    let signum = match event {
        CTRL_C_EVENT => SIGINT,
        CTRL_BREAK_EVENT => SIGBREAK,
        CTRL_CLOSE_EVENT => SIGHUP,
        _ => return 0,
    };
    if guests()[signum as usize] == 0 {
        return 0;
    }
    LOG.append(signum);
    wake_listeners();
    if event == CTRL_CLOSE_EVENT {
        // The system ends the process when this function returns, or some seconds later. The guest has
        // until then.
        loop {
            thread::park();
        }
    }
    1
}

/// Locks the table. It is valid at any moment, so poisoning is ignored.
fn guests() -> MutexGuard<'static, [usize; SIGNALS]> {
    GUESTS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::deliveries;
    use crate::os::listeners::SignalListener;
    use crate::os::signal_log::Position;
    use std::sync::mpsc;

    /// The system's part: it calls the handler, in a thread that may never come back.
    fn send(event: u32) -> mpsc::Receiver<i32> {
        let (send, returned) = mpsc::channel();
        // SAFETY: it takes a number only.
        thread::spawn(move || send.send(unsafe { on_control(event) }));
        returned
    }

    #[test]
    fn console_control_events_are_signals() {
        const SHUTDOWN: u32 = 6;
        let signums = [SIGHUP, SIGINT, SIGBREAK];
        let mut position = Position::default();
        for signum in signums {
            watch(signum).unwrap();
            deliveries::begin(&mut position, signum);
        }
        let (woken, wakes) = mpsc::channel();
        let _listener = SignalListener::new(move || {
            // The test is over.
            let _ = woken.send(());
            Ok(())
        });
        assert_eq!(send(SHUTDOWN).recv(), Ok(0));
        for (event, signum) in [(CTRL_C_EVENT, SIGINT), (CTRL_BREAK_EVENT, SIGBREAK)] {
            assert_eq!(send(event).recv(), Ok(1));
            wakes.recv().unwrap();
            let read = deliveries::read(&mut position, signums.into_iter());
            assert_eq!(read, [(signum, 1)]);
        }
        // The process would end with the handler.
        let returned = send(CTRL_CLOSE_EVENT);
        wakes.recv().unwrap();
        assert_eq!(deliveries::read(&mut position, signums.into_iter()), [(SIGHUP, 1)]);
        assert_eq!(returned.try_recv(), Err(mpsc::TryRecvError::Empty));
        signums.into_iter().for_each(unwatch);
        assert_eq!(send(CTRL_C_EVENT).recv(), Ok(0));
    }
}
