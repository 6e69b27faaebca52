//! Guests that live and end in every way, several at a time, each with clients of its own.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use uv_handles_host::Interrupted;
use uv_handles_tests::os::{connect, install, kill_self, listener, reset};
use uv_handles_tests::{End, Guest, Running, SOAK_LIFE};

/// The number of guests at a time.
const AT_A_TIME: usize = 4;

/// The most times that each of them is followed by the next. Every life leaves two connections
/// behind that the OS remembers for a minute, and the number of ports is limited.
const EVERY: Duration = Duration::from_millis(100);

/// The signal that all of them watch.
const SIGNAL: i32 = 40;

/// The ways to end.
const ENDINGS: [&str; 3] = ["return", "trap", "wait"];

pub struct Lives {
    lived: Arc<AtomicU64>,
    enough: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Lives {
    /// Starts the guests.
    pub fn start() -> Lives {
        extern "C" fn ignore(_: libc::c_int) {}
        // The signal comes also when no guest watches it.
        install(SIGNAL, ignore);
        let (lived, enough) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let thread = |first: usize| {
            let (lived, enough) = (lived.clone(), enough.clone());
            thread::spawn(move || {
                let mut endings = ENDINGS.into_iter().cycle().skip(first);
                while !enough.load(Ordering::Relaxed) {
                    let begin = Instant::now();
                    live(endings.next().expect("they go round"));
                    lived.fetch_add(1, Ordering::Relaxed);
                    thread::sleep(EVERY.saturating_sub(begin.elapsed()));
                }
            })
        };
        let threads = (0..AT_A_TIME).map(thread).collect();
        Lives { lived, enough, threads }
    }

    /// The number of guests that have ended.
    pub fn lived(&self) -> u64 {
        self.lived.load(Ordering::Relaxed)
    }

    /// Waits for the running guests, and starts no others.
    ///
    /// # Panics
    ///
    /// If one of them did not end as it was meant to.
    pub fn end(self) {
        self.enough.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().expect("all guests ended as meant"));
    }
}

/// One guest, from its start to its end.
fn live(ending: &str) {
    let (clients, _) = listener();
    let address = clients.local_addr().expect("it is bound");
    let mut outside = None;
    let mut guest = start(ending, clients, |uv| {
        outside = Some((uv.async_sender("wake-up"), uv.interrupt_handle()));
    });
    let (wake_up, interrupt) = outside.expect("it was granted");
    guest.expect("ready");
    let bytes = vec![7; 20_000];
    for at in 0..3 {
        let mut client = connect(address);
        wake_up.send().expect("the guest has opened it");
        client.write_all(&bytes).expect("the guest reads");
        kill_self(SIGNAL);
        let mut echo = vec![0; bytes.len()];
        client.read_exact(&mut echo).expect("the guest answers");
        assert_eq!(echo, bytes);
        match at {
            0 => reset(client),
            _ => client.shutdown(Shutdown::Write).expect("it is connected"),
        }
    }
    guest.expect("served");
    if ending == "wait" {
        interrupt.interrupt();
    }
    let output = guest.wait();
    match (ending, &output.end) {
        ("return", End::Success) => {}
        ("trap", End::Trap(error)) if !error.is::<Interrupted>() => {}
        ("wait", End::Trap(error)) if error.is::<Interrupted>() => {}
        _ => panic!("{ending}: {output:?}"),
    }
    assert!(wake_up.send().is_err(), "the guest is gone");
}

fn start(
    ending: &str,
    clients: TcpListener,
    more: impl FnOnce(&mut uv_handles_host::UvCtxBuilder),
) -> Running {
    Guest::new(SOAK_LIFE).arg(ending).spawn(|uv| {
        uv.descriptor("clients", clients).expect("a socket can be granted");
        uv.signal(SIGNAL);
        more(uv);
    })
}
