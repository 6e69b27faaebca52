//! `cargo xtask python --bench`: asyncio in the sandbox beside CPython's own loop on the machine,
//! componentize-py's loop, and callbacks of handles.
//!
//! The programs are those of tests/bench/python. Each row is the least time of several runs, which take turns.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::say;
use crate::profile::Profile;
use crate::workspace::Workspace;
use crate::{python, uv_run};

const RUNS: usize = 3;

const ZERO: &str = "1000000";
const SLEEPERS: &str = "10000";
const CLIENTS: usize = 64;
const ROUNDS: usize = 200;
const MESSAGE: [u8; 64] = [b'a'; 64];

/// A side: its name, and how its programs are started.
struct Side<'a> {
    name: &'static str,
    script: &'static str,
    /// uv-run, or a Python of the machine.
    program: &'a Path,
    options: &'a [&'a str],
    /// The arguments of the server; none if the side has no server.
    echo: &'a [&'a str],
}

/// Measures, and prints a table of ratios to the first side. `against` is a Python of the machine.
pub fn run(workspace: &Workspace, against: &Path) -> Result<()> {
    let runtime = python::build(workspace)?;
    let uv_run = uv_run::build(workspace, Profile::Quick)?;
    let bindings = format!("--pythonpath={}", python::generate_bindings(workspace)?.display());
    let sides = [
        Side {
            name: "CPython on the machine",
            script: "with_asyncio.py",
            program: against,
            options: &[],
            echo: &["127.0.0.1", "0"],
        },
        Side {
            name: "asyncio in the sandbox",
            script: "with_asyncio.py",
            program: &uv_run,
            options: &["--listen=clients=127.0.0.1:0"],
            echo: &["clients"],
        },
        Side {
            name: "the same, on WASI's sockets",
            script: "with_asyncio.py",
            program: &uv_run,
            options: &["--tcp-listen=127.0.0.1:0"],
            echo: &["127.0.0.1", "0"],
        },
        Side {
            name: "callbacks of handles",
            script: "with_callbacks.py",
            program: &uv_run,
            options: &["--listen=clients=127.0.0.1:0", "--max-handles=20000"],
            echo: &["clients"],
        },
        Side {
            name: "componentize-py's loop",
            script: "with_componentize.py",
            program: &uv_run,
            options: &[&bindings],
            echo: &[],
        },
    ];
    let scripts = workspace.root.join("tests/bench/python");
    let version = Command::new(against).arg("--version").output().context("the Python does not start")?;
    println!("{} on the machine, 3.14 in the sandbox", String::from_utf8_lossy(&version.stdout).trim());
    println!("| | sleep(0), {ZERO} times | {SLEEPERS} tasks that sleep 10 times | echo, {CLIENTS} clients |");
    println!("| --- | --- | --- | --- |");
    let mut least = vec![[None; 3]; sides.len()];
    for _ in 0..RUNS {
        for (side, least) in sides.iter().zip(&mut least) {
            say(format_args!("measuring {}", side.name));
            let start = |args: &[&str]| side.start(&runtime, &scripts, args);
            for (args, least) in [["zero", ZERO], ["sleepers", SLEEPERS]].iter().zip(least.iter_mut()) {
                keep(least, seconds(start(args)?)?);
            }
            if !side.echo.is_empty() {
                keep(&mut least[2], Some(echo(start(&[&["echo"], side.echo].concat())?)?));
            }
        }
    }
    for (side, times) in sides.iter().zip(&least) {
        let cells: Vec<_> = times
            .iter()
            .zip(&least[0])
            .map(|(time, first)| match (time, first) {
                (Some(time), Some(first)) => format!("{:.2} s, {:.1}", time, time / first),
                _ => "does not work".into(),
            })
            .collect();
        println!("| {} | {} |", side.name, cells.join(" | "));
    }
    Ok(())
}

fn keep(least: &mut Option<f64>, time: Option<f64>) {
    if let Some(time) = time {
        *least = Some(least.map_or(time, |least| least.min(time)));
    }
}

impl Side<'_> {
    fn start(&self, runtime: &Path, scripts: &Path, args: &[&str]) -> Result<Child> {
        let script: PathBuf = scripts.join(self.script);
        let mut command = Command::new(self.program);
        command.args(self.options).arg(script).args(args).env("UV_HANDLES_PYTHON", runtime);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().with_context(|| format!("{} does not start", self.program.display()))
    }
}

/// The seconds that a program reports. None if it fails.
fn seconds(mut child: Child) -> Result<Option<f64>> {
    let mut text = String::new();
    child.stdout.take().context("it is piped")?.read_to_string(&mut text)?;
    child.wait()?;
    let seconds = text.lines().find_map(|line| line.strip_prefix("seconds "));
    seconds.map(|seconds| seconds.parse().context("a number")).transpose()
}

/// The seconds that all clients of a server take together.
fn echo(mut server: Child) -> Result<f64> {
    let mut line = String::new();
    BufReader::new(server.stdout.take().context("it is piped")?).read_line(&mut line)?;
    let Some(port) = line.trim().strip_prefix("port ").and_then(|port| port.parse::<u16>().ok()) else {
        server.kill()?;
        bail!("the server has not started: {line}");
    };
    let time = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| TcpStream::connect(("127.0.0.1", port))).collect();
        let begin = Instant::now();
        let threads: Vec<_> = clients.into_iter().map(|client| scope.spawn(move || ping(client?))).collect();
        for thread in threads {
            thread.join().expect("a client does not panic")?;
        }
        anyhow::Ok(begin.elapsed())
    });
    server.kill()?;
    server.wait()?;
    Ok(time?.as_secs_f64())
}

fn ping(mut client: TcpStream) -> Result<()> {
    client.set_nodelay(true)?;
    client.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut buffer = MESSAGE;
    for _ in 0..ROUNDS {
        client.write_all(&MESSAGE)?;
        client.read_exact(&mut buffer)?;
    }
    Ok(())
}
