//! Runs the work for libuv, which is in C (`c/`), with the benchmark's clocks and peers.

use std::ffi::{CStr, c_char};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use uv_handles_bench::{
    Answers, Echo, SIGNAL, Session, echo_clients, raise, raise_descriptor_limit, round_trips,
};

/// A row's work: its arguments are as many numbers as it takes.
type Work = unsafe extern "C" fn(*const u64);

unsafe extern "C" {
    fn bench_timers(args: *const u64);
    fn bench_random_timers(args: *const u64);
    fn bench_spread_timers(args: *const u64);
    fn bench_repeating(args: *const u64);
    fn bench_timeouts(args: *const u64);
    fn bench_waits(args: *const u64);
    fn bench_restarts(args: *const u64);
    fn bench_memory_of_timers(args: *const u64);
    fn bench_idle(args: *const u64);
    fn bench_phases(args: *const u64);
    fn bench_idle_poll(args: *const u64);
    fn bench_ping_pong(args: *const u64);
    fn bench_many_polls(args: *const u64);
    fn bench_wake_up(args: *const u64);
    fn bench_wake();
    fn bench_signal(args: *const u64);
    fn bench_echo(args: *const u64);
}

/// The works by name, and how many numbers each takes.
const WORKS: [(&str, Work, usize); 16] = [
    ("timers", bench_timers, 2),
    ("random-timers", bench_random_timers, 2),
    ("spread-timers", bench_spread_timers, 2),
    ("repeating", bench_repeating, 3),
    ("timeouts", bench_timeouts, 2),
    ("waits", bench_waits, 3),
    ("restarts", bench_restarts, 1),
    ("memory", bench_memory_of_timers, 1),
    ("idle", bench_idle, 1),
    ("phases", bench_phases, 1),
    ("idle-poll", bench_idle_poll, 1),
    ("ping-pong", bench_ping_pong, 1),
    ("many-polls", bench_many_polls, 3),
    ("wake-up", bench_wake_up, 1),
    ("signal", bench_signal, 1),
    ("echo", bench_echo, 2),
];

static SESSION: OnceLock<Mutex<Session>> = OnceLock::new();
static ANSWERS: OnceLock<Arc<Answers>> = OnceLock::new();

/// Does the work that the program's arguments name, once, and prints the result.
///
/// # Panics
///
/// If there is no such work, or it fails.
pub fn run() {
    raise_descriptor_limit();
    let mut args = std::env::args().skip(1);
    let name = args.next().expect("the name of the work");
    let mut numbers: Vec<u64> = args.map(|arg| arg.parse().expect("a number")).collect();
    let (_, work, takes) =
        WORKS.into_iter().find(|(known, ..)| *known == name).unwrap_or_else(|| panic!("no work {name}"));
    assert_eq!(numbers.len(), takes, "{name} takes so many numbers");

    let mut session = Session::new();
    let mut listener = None;
    match name.as_str() {
        // SAFETY: it is called between the work's begin and its last callback, while the handle is
        // there.
        "wake-up" => session.with_answers(round_trips(numbers[0], || unsafe { bench_wake() })),
        "signal" => {
            assert_eq!(SIGNAL, libc::SIGUSR1, "the one that the work watches");
            session.with_answers(round_trips(numbers[0], raise));
        }
        "echo" => {
            let server = listener.insert(TcpListener::bind("127.0.0.1:0").expect("there is a free port"));
            server.set_nonblocking(true).expect("it is a socket");
            numbers.push(server.as_raw_fd().unsigned_abs().into());
            let address = server.local_addr().expect("it is bound");
            session.with_peer(echo_clients(address, Echo { connections: numbers[0], messages: numbers[1] }));
        }
        _ => {}
    }
    if let Some(answers) = session.answers() {
        ANSWERS.set(answers).expect("they are set once");
    }
    SESSION.set(Mutex::new(session)).expect("it is set once");
    // SAFETY: it reads as many numbers as it takes, and no other memory of this program.
    unsafe { work(numbers.as_ptr()) };
    println!("{}", std::mem::take(&mut *session_now()).finish());
}

fn session_now() -> MutexGuard<'static, Session> {
    SESSION.get().expect("it is set before the work").lock().expect("the lock is never poisoned")
}

#[unsafe(no_mangle)]
extern "C" fn bench_begin() {
    session_now().begin();
}

#[unsafe(no_mangle)]
extern "C" fn bench_end() {
    session_now().end();
}

#[unsafe(no_mangle)]
extern "C" fn bench_answer() {
    ANSWERS.get().expect("somebody waits for it").answer();
}

#[unsafe(no_mangle)]
extern "C" fn bench_count(what: *const c_char, many: u64) {
    // SAFETY: the work passes literals.
    let what = unsafe { CStr::from_ptr(what) };
    session_now().count(what.to_str().expect("plain letters"), many);
}

#[unsafe(no_mangle)]
extern "C" fn bench_memory(what: *const c_char) {
    // SAFETY: the work passes literals.
    let what = unsafe { CStr::from_ptr(what) };
    session_now().memory(what.to_str().expect("plain letters"));
}
