//! The command `uv-run` as a process of its own.

use crate::{Case, PATIENCE, build_dir, component};
use std::env::consts::EXE_SUFFIX;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// `uv-run` with this guest and these options; streams are pipes unless the caller says otherwise.
///
/// # Panics
///
/// If it has not been built.
pub fn uv_run(options: &[&str], guest: impl Into<Case>) -> Command {
    let guest = guest.into();
    let mut command = uv_run_file(options, &component(guest));
    command.args(guest.args());
    command
}

/// `uv-run` with this file; streams are pipes unless the caller says otherwise.
///
/// # Panics
///
/// If it has not been built.
pub fn uv_run_file(options: &[&str], file: &Path) -> Command {
    let program = build_dir().join(format!("uv-run{EXE_SUFFIX}"));
    assert!(program.is_file(), "there is no {}: run `cargo xtask uv-run` first", program.display());
    let mut command = Command::new(program);
    command.args(options).arg(file).env_remove("RUST_LOG");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The command, started by a shell with a redirection.
pub fn redirected(command: &Command, redirection: &str) -> Command {
    in_shell(command, &format!(r#"exec "$@" {redirection}"#))
}

/// The command as the arguments of a shell's script. Its streams are pipes, and its input is empty.
pub fn in_shell(command: &Command, script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg("sh").arg(command.get_program()).args(command.get_args());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

/// A process whose output is read line by line. It is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Its standard output.
    pub stdout: Lines,
    /// Its standard error.
    pub stderr: Lines,
}

/// A run with these arguments.
pub fn start(options: &[&str], guest: impl Into<Case>, args: &[&str]) -> Process {
    let mut command = uv_run(options, guest);
    command.args(args);
    Process::spawn(command)
}

/// The end of a run.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub stdout: Vec<String>,
    /// Its standard error.
    pub stderr: Vec<String>,
}

/// A run with these arguments, to its end.
pub fn ended(options: &[&str], guest: impl Into<Case>, args: &[&str]) -> Ended {
    let mut process = start(options, guest, args);
    let code = process.exit_code();
    Ended { code, stdout: process.stdout.all(), stderr: process.stderr.all() }
}

impl Ended {
    /// Asserts that it succeeded, with these lines on standard output and nothing on standard
    /// error.
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn printed(&self, lines: &[&str]) {
        assert_eq!((self.code, &self.stderr[..]), (0, &[][..]), "{self:?}");
        assert_eq!(self.stdout, lines);
    }
}

/// The text that follows this title, in the next line of output that has it.
pub fn find(process: &mut Process, title: &str) -> String {
    let prefix = format!("{title}: ");
    process.stdout.find(|line| line.strip_prefix(&prefix).map(str::to_owned))
}

/// The address on which uv-run's socket `clients` listens, as uv-run reports it.
pub fn listens_on(process: &mut Process) -> SocketAddr {
    process
        .stderr
        .find(|line| Some(line.strip_prefix("uv-run: clients listens on ")?.parse().expect("an address")))
}

/// The lines of a stream, as they come.
#[derive(Debug)]
pub struct Lines {
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Lines {
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Lines { lines, seen: Vec::new() }
    }

    /// Waits for the next line, or none at the end of the stream.
    ///
    /// # Panics
    ///
    /// If neither comes.
    pub fn next_line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                self.seen.push(line.clone());
                Some(line)
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("no more lines after {:#?}", self.seen),
        }
    }

    /// Waits for a line for which `wanted` returns a value.
    ///
    /// # Panics
    ///
    /// If none comes.
    pub fn find<T>(&mut self, mut wanted: impl FnMut(&str) -> Option<T>) -> T {
        while let Some(line) = self.next_line() {
            if let Some(found) = wanted(&line) {
                return found;
            }
        }
        panic!("the stream ended without the wanted line: {:#?}", self.seen)
    }

    /// Waits for the end, and gives all lines since the beginning.
    pub fn all(&mut self) -> Vec<String> {
        while self.next_line().is_some() {}
        self.seen.clone()
    }
}

impl Process {
    /// Starts the command. Output that is not a pipe has no lines.
    pub fn spawn(mut command: Command) -> Process {
        // It is inherited, and a shell ignores it for the tests in the background.
        #[cfg(unix)]
        crate::os::no_longer_ignore(libc::SIGINT);
        let mut child = command.spawn().expect("the program can be started");
        let stdout = match child.stdout.take() {
            Some(stream) => Lines::of(stream),
            None => Lines::of(std::io::empty()),
        };
        let stderr = match child.stderr.take() {
            Some(stream) => Lines::of(stream),
            None => Lines::of(std::io::empty()),
        };
        Process { child, stdout, stderr }
    }

    /// The writing end of its standard input, once.
    pub fn stdin(&mut self) -> std::process::ChildStdin {
        self.child.stdin.take().expect("the standard input is a pipe")
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    #[cfg(unix)]
    pub fn kill(&self, signum: i32) {
        // SAFETY: it takes numbers only; the process has not been waited for, so it is this child.
        let result = unsafe { libc::kill(self.child.id() as libc::pid_t, signum) };
        assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    }

    /// How many bytes of memory it uses now.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it runs");
        let kibibytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kibibytes * 1024
    }

    /// How many descriptors it has open now.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it runs").count()
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// If that does not come.
    pub fn wait(&mut self) -> ExitStatus {
        // Its output ends when it does.
        self.stdout.all();
        self.stderr.all();
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is this process's child") {
                return status;
            }
            assert!(begin.elapsed() < PATIENCE, "the process does not end");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Waits for its end and gives its exit code.
    ///
    /// # Panics
    ///
    /// If a signal ended it.
    pub fn exit_code(&mut self) -> i32 {
        let status = self.wait();
        status.code().unwrap_or_else(|| panic!("{status}: {:#?}", self.stderr.seen))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Fails if it has ended already, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
