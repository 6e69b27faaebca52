//! `cargo xtask runtimes`: composed guests on runtimes that know nothing of `uv:handles`.
//!
//! Each runtime is installed into target/runtimes first, from its registry. What can not be installed or run
//! is an error, never left out.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::guests;
use crate::process::{self, say};
use crate::toolchain::Way;
use crate::workspace::Workspace;

/// The composed guests that run, and what they print.
const GUESTS: [(&str, &[&str]); 2] =
    [("first-timer", &["half a second later"]), ("ticker", &["tick 1", "tick 2", "tick 3"])];

/// What sets up the guests.
const ENVIRONMENT: [(&str, &str); 2] = [("TICKER_PERIOD_MS", "100"), ("TICKER_TICKS", "3")];

const JCO: &str = "@bytecodealliance/jco@1.35.0";
const WASMTIME: &str = "wasmtime==50.0.1";

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

/// Composes the guests, and runs them on these runtimes, all of them if there are none.
pub fn run(workspace: &Workspace, forced: Option<Way>, runtimes: &[Runtime]) -> Result<()> {
    let composed = guests::build(workspace, forced)?.join("composed");
    let runtimes = if runtimes.is_empty() { Runtime::value_variants() } else { runtimes };
    for runtime in runtimes {
        let name = runtime.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        let command = runtime.install(workspace).with_context(|| format!("{name} can not be installed"))?;
        for (guest, expected) in GUESTS {
            let file = composed.join(format!("{guest}.wasm"));
            let lines =
                printed(&command, &file, expected.len()).with_context(|| format!("{guest} on {name}"))?;
            ensure!(lines == expected, "{guest} on {name} printed {lines:?} instead of {expected:?}");
            println!("{name}: {guest} printed {lines:?}");
        }
    }
    Ok(())
}

impl Runtime {
    /// Installs it, unless it is there. Returns the command to which a component's file is added.
    fn install(self, workspace: &Workspace) -> Result<Vec<PathBuf>> {
        let dir = workspace.target_dir.join("runtimes");
        let sources = workspace.root.join("tests/runtimes");
        match self {
            Runtime::Jco => {
                let dir = dir.join("jco");
                let program = dir.join("node_modules/.bin/jco");
                if !program.is_file() {
                    say(format_args!("installing {JCO} with npm"));
                    std::fs::create_dir_all(&dir)?;
                    let mut npm = Command::new("npm");
                    npm.args(["install", "--no-save", "--prefix"]).arg(&dir).arg(JCO);
                    process::run(&mut npm).context("it needs Node.js 20 with npm, and npm's registry")?;
                }
                Ok(vec![program, "run".into()])
            }
            Runtime::Wasmtime => {
                let dir = dir.join("wasmtime");
                let python = dir.join("bin/python");
                if !dir.join("installed").is_file() {
                    say(format_args!("installing {WASMTIME} with pip"));
                    process::run(Command::new("python3").args(["-m", "venv"]).arg(&dir))
                        .context("it needs Python 3 with its module venv")?;
                    process::run(Command::new(&python).args(["-m", "pip", "install", "--quiet", WASMTIME]))
                        .context("it needs PyPI")?;
                    std::fs::write(dir.join("installed"), WASMTIME)?;
                }
                Ok(vec![python, sources.join("run_wasmtime.py")])
            }
            Runtime::Wasmcloud => {
                let dir = dir.join("wasmcloud");
                say("building wasmCloud's host (the first time, its wasmtime takes some minutes)");
                let mut cargo = process::cargo();
                cargo.args(["build", "--release", "--locked", "--manifest-path"]);
                cargo.arg(sources.join("wasmcloud/Cargo.toml")).arg("--target-dir").arg(&dir);
                process::run(&mut cargo)?;
                Ok(vec![dir.join("release/uv-handles-runtime-wasmcloud")])
            }
        }
    }
}

/// The first lines that a component prints, and all if they are fewer; more than expected are seen as one more.
fn printed(command: &[PathBuf], file: &Path, expected: usize) -> Result<Vec<String>> {
    let (program, args) = command.split_first().context("a command has a program")?;
    let mut child = Command::new(program)
        .args(args)
        .arg(file)
        .envs(ENVIRONMENT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} can not be started", program.display()))?;
    let mut lines = BufReader::new(child.stdout.take().context("it is a pipe")?).lines();
    let mut printed: Vec<String> = lines.by_ref().take(expected).collect::<Result<_, _>>()?;
    // A host of services goes on until its input ends.
    drop(child.stdin.take());
    printed.extend(lines.next().transpose()?);
    let status = child.wait()?;
    ensure!(status.success(), "it ended with {status} after {printed:?}");
    Ok(printed)
}
