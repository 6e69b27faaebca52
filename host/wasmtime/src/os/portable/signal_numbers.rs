//! The numbers of signals: guests see Linux's on every host.

/// Linux's numbers, and the host's.
const NUMBERS: [(i32, i32); 28] = [
    (1, libc::SIGHUP),
    (2, libc::SIGINT),
    (3, libc::SIGQUIT),
    (4, libc::SIGILL),
    (5, libc::SIGTRAP),
    (6, libc::SIGABRT),
    (7, libc::SIGBUS),
    (8, libc::SIGFPE),
    (9, libc::SIGKILL),
    (10, libc::SIGUSR1),
    (11, libc::SIGSEGV),
    (12, libc::SIGUSR2),
    (13, libc::SIGPIPE),
    (14, libc::SIGALRM),
    (15, libc::SIGTERM),
    (17, libc::SIGCHLD),
    (18, libc::SIGCONT),
    (19, libc::SIGSTOP),
    (20, libc::SIGTSTP),
    (21, libc::SIGTTIN),
    (22, libc::SIGTTOU),
    (23, libc::SIGURG),
    (24, libc::SIGXCPU),
    (25, libc::SIGXFSZ),
    (26, libc::SIGVTALRM),
    (27, libc::SIGPROF),
    (28, libc::SIGWINCH),
    (31, libc::SIGSYS),
];

/// Returns the guests' number of a signal of the host. Async-signal-safe.
pub(crate) fn guest_number(host: i32) -> Option<i32> {
    let known = NUMBERS.iter().find(|&&(_, number)| number == host);
    known.map(|&(guest, _)| guest).or_else(|| same_on_linux(host))
}

/// Returns the host's number of a signal of the guests, if the host has it.
pub(crate) fn host_number(guest: i32) -> Option<i32> {
    let known = NUMBERS.iter().find(|&&(number, _)| number == guest);
    known.map(|&(_, host)| host).or_else(|| same_on_linux(guest))
}

/// Linux has more signals, real-time signals among them.
fn same_on_linux(signum: i32) -> Option<i32> {
    (cfg!(target_os = "linux") && (1..=64).contains(&signum)).then_some(signum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_has_one_number_here_and_one_there() {
        for guest in 1..=64 {
            if let Some(host) = host_number(guest) {
                assert_eq!(guest_number(host), Some(guest));
            }
        }
        assert_eq!(host_number(10), Some(libc::SIGUSR1));
        assert_eq!([host_number(0), host_number(65)], [None; 2]);
    }
}
