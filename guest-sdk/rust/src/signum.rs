//! Signal numbers.

use std::fmt;

/// A signal number. Numbers are Linux's (x86, ARM, RISC-V), whatever the host runs on.
///
/// ```
/// use uv_handles::Signum;
///
/// assert_eq!(Signum::SIGTERM.number(), 15);
/// assert_eq!(Signum::SIGTERM.to_string(), "SIGTERM");
/// assert_eq!(Signum::new(40).to_string(), "signal 40");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signum(i32);

macro_rules! signals {
    ($($name:ident = $number:literal, $meaning:literal;)*) => {
        impl Signum {
            $(
                #[doc = concat!($meaning, ", ", stringify!($number))]
                pub const $name: Self = Self($number);
            )*

            /// The name, none for a real-time signal and for a number that is no signal.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

signals! {
    SIGHUP = 1, "The terminal is gone";
    SIGINT = 2, "Interrupt, usually Ctrl+C";
    SIGQUIT = 3, "Quit, usually Ctrl+\\";
    SIGILL = 4, "Illegal instruction (cannot be watched)";
    SIGTRAP = 5, "Trap of a debugger (cannot be watched)";
    SIGABRT = 6, "Abort (cannot be watched)";
    SIGBUS = 7, "Bad memory access (cannot be watched)";
    SIGFPE = 8, "Arithmetic error (cannot be watched)";
    SIGKILL = 9, "Kill (cannot be watched)";
    SIGUSR1 = 10, "For the program's own use";
    SIGSEGV = 11, "Invalid memory reference (cannot be watched)";
    SIGUSR2 = 12, "For the program's own use";
    SIGPIPE = 13, "Write to a pipe without reader";
    SIGALRM = 14, "The alarm clock";
    SIGTERM = 15, "Request to end";
    SIGSTKFLT = 16, "Coprocessor stack fault, unused";
    SIGCHLD = 17, "A child process has stopped or ended";
    SIGCONT = 18, "Continue after a stop";
    SIGSTOP = 19, "Stop (cannot be watched)";
    SIGTSTP = 20, "Stop from the terminal, usually Ctrl+Z";
    SIGTTIN = 21, "Background process reads from the terminal";
    SIGTTOU = 22, "Background process writes to the terminal";
    SIGURG = 23, "Urgent data on a socket";
    SIGXCPU = 24, "Processor time limit";
    SIGXFSZ = 25, "File size limit";
    SIGVTALRM = 26, "The virtual alarm clock";
    SIGPROF = 27, "The profiling timer";
    SIGWINCH = 28, "The terminal's size has changed";
    SIGIO = 29, "Input or output is possible (also SIGPOLL)";
    SIGPWR = 30, "Power failure";
    SIGSYS = 31, "Bad system call";
}

impl Signum {
    /// The signal with this number. Any number is accepted here;
    /// [`Signal::start`](crate::Signal::start) refuses those that are no signal.
    pub const fn new(number: i32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> i32 {
        self.0
    }
}

impl From<i32> for Signum {
    fn from(number: i32) -> Self {
        Self(number)
    }
}

impl From<Signum> for i32 {
    fn from(signum: Signum) -> Self {
        signum.0
    }
}

/// The name, or `signal 40` where there is none.
impl fmt::Display for Signum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}

impl fmt::Debug for Signum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Signum({})", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Signum;
    use std::collections::HashSet;

    #[test]
    fn the_first_31_numbers_have_names_of_their_own() {
        let names: HashSet<_> = (1..=31).map(|n| Signum::new(n).name().unwrap()).collect();
        assert_eq!(names.len(), 31);
        assert_eq!(Signum::new(0).name(), None);
        assert_eq!(Signum::new(32).name(), None);
    }

    #[test]
    fn numbers_are_those_of_linux() {
        let expected = [
            (Signum::SIGHUP, 1),
            (Signum::SIGUSR1, 10),
            (Signum::SIGCHLD, 17),
            (Signum::SIGWINCH, 28),
            (Signum::SIGSYS, 31),
        ];
        for (signum, number) in expected {
            assert_eq!(i32::from(signum), number, "{signum}");
        }
    }

    #[test]
    fn a_signal_without_a_name_shows_its_number() {
        assert_eq!(format!("{0} {0:?}", Signum::SIGHUP), "SIGHUP SIGHUP");
        assert_eq!(format!("{0} {0:?}", Signum::from(64)), "signal 64 Signum(64)");
    }
}
