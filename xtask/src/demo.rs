//! `cargo xtask demo`: runs the line-stats example on real input, or the watcher example with a server,
//! and shows its output.
//!
//! Lines that begin with `demo:` describe the steps; all others are output of the guest and of
//! uv-run. Nothing here sleeps: each step waits for the output that the step before it causes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::guests;
use crate::javascript;
use crate::process::{self, say};
use crate::profile::Profile;
use crate::python;
use crate::toolchain::Way;
use crate::uv_run;
use crate::workspace::Workspace;

/// The longest wait for any one step. The first includes compiling the guest, and Python is a large one.
const DEADLINE: Duration = Duration::from_secs(120);

/// The text that the TCP client sends.
const CLIENT_LINES: [&str; 5] =
    ["a client's first line", "and a second one", "", "the third was empty", "this is the fifth and last"];

/// The lines of output that the demo waits for.
mod output {
    /// uv-run prints the address of a granted listener: `uv-run: clients listens on
    /// 127.0.0.1:41234`.
    pub fn address(line: &str) -> Option<&str> {
        line.strip_prefix("uv-run: clients listens on ").map(str::trim)
    }

    /// line-stats prints its counts every second: `summary: 12 lines, 345 bytes, ...`.
    pub fn is_summary(line: &str, lines: usize) -> bool {
        line.strip_prefix("summary: ").is_some_and(|rest| rest.starts_with(&format!("{lines} lines")))
    }

    /// line-stats prints the counts so far, and starts from zero.
    pub fn is_reset(line: &str) -> bool {
        line.starts_with("reset: ")
    }

    /// line-stats prints its counts for the last time.
    pub fn is_final(line: &str) -> bool {
        line.starts_with("final summary: ")
    }
}

/// Builds only the programs of the demo, then shows it.
pub fn run(workspace: &Workspace, forced: Option<Way>) -> Result<()> {
    let begin = Instant::now();
    say("step 1 of 2: the guest, examples/line-stats");
    let guest = guests::build_one(workspace, forced, "line-stats")?;
    build_and_show(workspace, &guest, begin)
}

/// Builds the programs of the demo, then shows the same example as a Python script.
pub fn run_python(workspace: &Workspace) -> Result<()> {
    let begin = Instant::now();
    say("step 1 of 2: the runtime for Python scripts");
    python::build(workspace)?;
    build_and_show(workspace, &workspace.root.join("examples/python/line_stats.py"), begin)
}

/// Builds the programs of the demo, then shows the same example as a script in JavaScript.
pub fn run_javascript(workspace: &Workspace, forced: Option<Way>) -> Result<()> {
    let begin = Instant::now();
    say("step 1 of 2: the runtime for JavaScript");
    javascript::build(workspace, forced, Profile::Quick)?;
    build_and_show(workspace, &workspace.root.join("examples/javascript/line_stats.js"), begin)
}

/// Builds the programs of the demo of HTTP, then shows the watcher example with a server of this
/// process.
pub fn run_http(workspace: &Workspace, forced: Option<Way>) -> Result<()> {
    say("step 1 of 2: the guest, examples/watcher");
    let guest = guests::build_one(workspace, forced, "watcher")?;
    say("step 2 of 2: uv-run, with wasmtime");
    let uv_run = uv_run::build(workspace, Profile::Quick)?;
    let server = Server::start()?;
    let url = format!("http://{}/", server.address);
    let mut command = Command::new(uv_run);
    command.args(["--http", &server.address.to_string(), "--signal", "term"]);
    command.args(["--env", "WATCHER_EVERY_MS=200", "--env", "WATCHER_TIMEOUT_MS=500"]);
    command.current_dir(&workspace.root).arg(guest.strip_prefix(&workspace.root).unwrap_or(&guest)).arg(&url);
    tell(process::shown(&command));
    let mut guest = Running::start(&mut command)?;
    guest.wait_until("the first answer", |line| line.starts_with(&url) && line.ends_with("5 bytes"))?;

    tell("the server answers something else");
    server.says("something else");
    guest.wait_until("a change", |line| line.starts_with("changed: ") && line.ends_with("14 bytes"))?;

    tell("the server does not answer any more: requests are cancelled after 500 ms");
    server.is_silent.store(true, Ordering::SeqCst);
    guest.wait_until("a time-out", |line| line.contains("no answer within 500 ms"))?;

    tell("the server answers again");
    server.is_silent.store(false, Ordering::SeqCst);
    guest.wait_until("the recovery", |line| line.starts_with("recovered: "))?;

    tell("SIGTERM: an orderly end");
    guest.signal(Signal::TERM)?;
    guest.wait_until("the end", |line| line == "ended")?;
    let status = guest.wait_for_end()?;
    ensure!(status.success(), "uv-run ended with {status}");
    tell("uv-run ended with status 0");
    Ok(())
}

/// An HTTP server that answers every request with the same text, or not at all.
struct Server {
    address: SocketAddr,
    text: Arc<Mutex<&'static str>>,
    is_silent: Arc<AtomicBool>,
}

impl Server {
    fn start() -> Result<Server> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no address to listen on")?;
        let server = Server {
            address: listener.local_addr()?,
            text: Arc::new(Mutex::new("hello")),
            is_silent: Arc::default(),
        };
        let (text, is_silent) = (server.text.clone(), server.is_silent.clone());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (text, is_silent) = (text.clone(), is_silent.clone());
                thread::spawn(move || answer(client, &text, &is_silent));
            }
        });
        Ok(server)
    }

    fn says(&self, text: &'static str) {
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
}

/// Answers one request.
fn answer(client: TcpStream, text: &Mutex<&'static str>, is_silent: &AtomicBool) -> std::io::Result<()> {
    let mut lines = BufReader::new(client);
    let mut line = String::new();
    while lines.read_line(&mut line)? > 2 {
        line.clear();
    }
    if is_silent.load(Ordering::SeqCst) {
        // Until the client closes the connection.
        return lines.read_line(&mut line).map(drop);
    }
    let text = *text.lock().unwrap_or_else(PoisonError::into_inner);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", text.len());
    lines.into_inner().write_all((head + text).as_bytes())
}

/// Builds `uv-run`, shows the guest, and prints the time of both. The set-up began at `begin`.
fn build_and_show(workspace: &Workspace, guest: &Path, begin: Instant) -> Result<()> {
    say("step 2 of 2: uv-run, with wasmtime");
    let uv_run = uv_run::build(workspace, Profile::Quick)?;
    let set_up = begin.elapsed();
    let text = text_of_repository(&workspace.root)?;
    let mut command = Command::new(uv_run);
    command.args(["--stdin", "--listen", "clients=127.0.0.1:0"]);
    command.args(["--signal", "hup,int,term", "--wake", "print"]);
    // Shorter to read.
    command.current_dir(&workspace.root).arg(guest.strip_prefix(&workspace.root).unwrap_or(guest));
    show(&mut command, text)?;
    let shown = begin.elapsed() - set_up;
    tell(format_args!("the set-up took {}, the show {}", in_words(set_up), in_words(shown)));
    Ok(())
}

/// A duration in minutes and seconds.
fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let whole = duration.as_secs();
    format!("{} min {} s", whole / 60, whole % 60)
}

fn show(command: &mut Command, text: Vec<u8>) -> Result<()> {
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    tell(process::shown(command));
    let mut guest = Running::start(command)?;
    let stdin = guest.child.stdin.take().context("no pipe to the guest")?;
    let address = guest.wait_for("its listening address", output::address)?;

    tell(format_args!(
        "its stdin is a pipe: {lines} lines of this repository's text go into it, and it stays open"
    ));
    let _stdin = write_all(stdin, text)?;
    guest.wait_until("a summary of these lines", |line| output::is_summary(line, lines))?;

    let sent = CLIENT_LINES.len();
    tell(format_args!("a TCP client connects to {address} and sends {sent} lines"));
    let mut client = connect(&address)?;
    client.write_all((CLIENT_LINES.join("\n") + "\n").as_bytes())?;
    guest.wait_until("a summary with the client's lines", |line| output::is_summary(line, lines + sent))?;
    tell("the client has sent everything, and waits for the answer");
    client.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    client.read_to_string(&mut answer).context("the client got no answer")?;
    tell(format_args!("the client was told: {}", answer.trim_end()));

    tell("SIGHUP: it counts from zero");
    guest.signal(Signal::HUP)?;
    guest.wait_until("that it starts afresh", output::is_reset)?;
    guest.wait_until("a summary of nothing", |line| output::is_summary(line, 0))?;

    tell("SIGTERM: the last summary, and an orderly end");
    guest.signal(Signal::TERM)?;
    guest.wait_until("the final summary", output::is_final)?;
    let status = guest.wait_for_end()?;
    ensure!(status.success(), "uv-run ended with {status}");
    tell("uv-run ended with status 0");
    Ok(())
}

fn connect(address: &str) -> Result<TcpStream> {
    let client = TcpStream::connect(address)
        .with_context(|| format!("cannot connect to the guest's address {address}"))?;
    client.set_read_timeout(Some(DEADLINE))?;
    client.set_write_timeout(Some(DEADLINE))?;
    Ok(client)
}

/// Prints a line that is distinct from the guest's output.
fn tell(line: impl std::fmt::Display) {
    println!("demo: {line}");
}

/// uv-run with a guest. It is killed when this is dropped.
struct Running {
    child: Child,
    /// The lines of both of its outputs.
    lines: Receiver<String>,
}

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", process::shown(command)))?;
        let (sender, lines) = mpsc::channel();
        let outputs: [Option<Box<dyn Read + Send>>; 2] =
            [child.stdout.take().map(|o| Box::new(o) as _), child.stderr.take().map(|o| Box::new(o) as _)];
        for output in outputs.into_iter().flatten() {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(Running { child, lines })
    }

    /// Shows the guest's output until `wanted` matches a line.
    fn wait_for(
        &mut self,
        what: &str,
        wanted: impl for<'a> Fn(&'a str) -> Option<&'a str>,
    ) -> Result<String> {
        let end = Instant::now() + DEADLINE;
        loop {
            match self.lines.recv_timeout(end.duration_since(Instant::now())) {
                Ok(line) => {
                    println!("{line}");
                    if let Some(found) = wanted(&line) {
                        return Ok(found.to_owned());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    bail!("waited {DEADLINE:?} for {what}, and it was not printed")
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.child.wait()?;
                    bail!("uv-run ended with {status}, without {what}")
                }
            }
        }
    }

    /// Shows the guest's output up to a line that is `wanted`.
    fn wait_until(&mut self, what: &str, wanted: impl Fn(&str) -> bool) -> Result<()> {
        self.wait_for(what, |line| wanted(line).then_some(line)).map(drop)
    }

    /// Shows the rest of the output. Both outputs close when the process ends.
    fn wait_for_end(&mut self) -> Result<ExitStatus> {
        let end = Instant::now() + DEADLINE;
        loop {
            match self.lines.recv_timeout(end.duration_since(Instant::now())) {
                Ok(line) => println!("{line}"),
                Err(RecvTimeoutError::Disconnected) => return Ok(self.child.wait()?),
                Err(RecvTimeoutError::Timeout) => {
                    bail!("waited {DEADLINE:?} for uv-run to end, and it still runs")
                }
            }
        }
    }

    /// Sends a signal. Earlier output is shown first.
    fn signal(&mut self, signal: Signal) -> Result<()> {
        for line in self.lines.try_iter() {
            println!("{line}");
        }
        kill_process(Pid::from_child(&self.child), signal).context("cannot send a signal to uv-run")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail if it has ended, which is not an error.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes everything into the pipe, and returns it open. The guest may take its time to read.
fn write_all(mut pipe: ChildStdin, bytes: Vec<u8>) -> Result<ChildStdin> {
    let (sender, written) = mpsc::channel();
    thread::spawn(move || {
        let result = pipe.write_all(&bytes).map(|()| pipe);
        let _ = sender.send(result);
    });
    written
        .recv_timeout(DEADLINE)
        .with_context(|| format!("the guest did not read its stdin within {DEADLINE:?}"))?
        .context("cannot write to the guest's stdin")
}

/// All documentation and interface files of the repository, one after the other.
fn text_of_repository(root: &Path) -> Result<Vec<u8>> {
    let mut files = Vec::new();
    collect(root, &mut files).with_context(|| format!("cannot list the files in {}", root.display()))?;
    files.sort();
    let mut text = Vec::new();
    for file in files {
        let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        text.extend(content);
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
    }
    Ok(text)
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            if name != "target" && !name.to_string_lossy().starts_with('.') {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|e| e == "md" || e == "wit") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Duration, in_words, output};

    #[test]
    fn the_address_is_the_end_of_uv_runs_line() {
        let line = "uv-run: clients listens on 127.0.0.1:41234";
        assert_eq!(output::address(line), Some("127.0.0.1:41234"));
        assert_eq!(output::address("uv-run: something else"), None);
    }

    #[test]
    fn a_summary_is_known_by_its_lines() {
        assert!(output::is_summary("summary: 805 lines, 9 bytes, 0 clients", 805));
        assert!(!output::is_summary("summary: 1805 lines, 9 bytes, 0 clients", 805));
        assert!(!output::is_summary("final summary: 805 lines, 9 bytes, 0 clients", 805));
    }
    #[test]
    fn a_duration_is_in_seconds_or_minutes() {
        assert_eq!(in_words(Duration::from_millis(4_250)), "4.2 s");
        assert_eq!(in_words(Duration::from_secs(200)), "3 min 20 s");
    }
}
