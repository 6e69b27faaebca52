//! `uv-run` as a process.

use std::env;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// The time that a test waits for an event that must happen, before it fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `uv-run`, which is killed when this is dropped.
pub struct Program {
    child: Child,
    /// The lines of both outputs, as they come.
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Program {
    /// Starts a guest with these options and arguments.
    pub fn start(options: &[&str], guest: &str, args: &[&str]) -> Program {
        let mut command = uv_run(options, guest);
        command.args(args);
        Program::spawn(command)
    }

    /// Starts a command of [`uv_run`].
    pub fn spawn(mut command: Command) -> Program {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("uv-run can be started");
        let (send, lines) = mpsc::channel();
        let outputs: [Box<dyn Read + Send>; 2] =
            [Box::new(child.stdout.take().unwrap()), Box::new(child.stderr.take().unwrap())];
        for output in outputs {
            let send = send.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    // The test has what it wanted if nothing receives it.
                    let _ = send.send(line);
                }
            });
        }
        Program { child, lines, seen: Vec::new() }
    }

    /// Waits for a line that begins so, and returns the rest of it.
    pub fn line_with(&mut self, begin: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if let Some(rest) = line.strip_prefix(begin) {
                        return rest.trim_end().to_owned();
                    }
                }
                Err(_) => panic!("no line begins with {begin:?}: {:#?}", self.seen),
            }
        }
    }

    /// The writing end of its standard input.
    pub fn stdin(&mut self) -> &mut ChildStdin {
        self.child.stdin.as_mut().expect("it is a pipe")
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the end with this exit code, and returns the lines that were not yet looked at.
    #[track_caller]
    pub fn ends_with(&mut self, code: i32) -> Vec<String> {
        let begin = Instant::now();
        let mut lines = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE.saturating_sub(begin.elapsed())) {
            lines.push(line);
        }
        assert!(begin.elapsed() < PATIENCE, "it does not end: {lines:#?}");
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), Some(code), "{status}: {:#?} {lines:#?}", self.seen);
        lines
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail if it has ended, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `uv-run` with a guest.
pub fn uv_run(options: &[&str], guest: &str) -> Command {
    let guests = env::var_os("UV_HANDLES_GUESTS").expect("`cargo xtask test` says where the guests are");
    let program = env!("CARGO_BIN_EXE_uv-run");
    let runner = env::var_os("UV_HANDLES_RUNNER");
    let mut command = Command::new(runner.as_deref().unwrap_or(OsStr::new(program)));
    command.args(runner.is_some().then_some(program));
    command.env_remove("RUST_LOG").args(options).arg(Path::new(&guests).join(format!("{guest}.wasm")));
    command
}

/// The message of a command line that cannot be used.
pub fn refused(options: &[&str], guest: &str) -> String {
    let Output { status, stdout, stderr } = uv_run(options, guest).output().unwrap();
    let error = String::from_utf8(stderr).unwrap();
    assert_eq!((status.code(), &stdout[..]), (Some(2), &b""[..]), "{error}");
    error
}
