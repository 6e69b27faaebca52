//! The numbers of signals: uv-run's options and guests have Linux's on every system.

/// Linux's numbers of signals that can be watched, and the system's.
const NUMBERS: [(i32, i32); 20] = [
    (1, libc::SIGHUP),
    (2, libc::SIGINT),
    (3, libc::SIGQUIT),
    (10, libc::SIGUSR1),
    (12, libc::SIGUSR2),
    (13, libc::SIGPIPE),
    (14, libc::SIGALRM),
    (15, libc::SIGTERM),
    (17, libc::SIGCHLD),
    (18, libc::SIGCONT),
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

/// The system's number of a signal, if it has it.
pub fn of_system(linux: i32) -> Option<i32> {
    let known = NUMBERS.iter().find(|&&(number, _)| number == linux).map(|&(_, system)| system);
    known.or_else(|| same(linux))
}

/// Linux's number of a signal of the system.
pub fn of_linux(system: i32) -> Option<i32> {
    let known = NUMBERS.iter().find(|&&(_, number)| number == system).map(|&(linux, _)| linux);
    known.or_else(|| same(system))
}

/// Linux has more signals, real-time signals among them.
fn same(signum: i32) -> Option<i32> {
    cfg!(target_os = "linux").then_some(signum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_has_one_number_here_and_one_there() {
        for linux in 1..=64 {
            if let Some(system) = of_system(linux) {
                assert_eq!(of_linux(system), Some(linux));
            }
        }
        assert_eq!(of_system(10), Some(libc::SIGUSR1));
    }
}
