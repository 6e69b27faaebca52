//! `cargo xtask platforms`: the host library and `uv-run` for other systems than this one.
//!
//! `zig` is the compiler for the C parts of dependencies, and the linker. `emulator` runs the
//! programs of two of the systems. What cannot be had is said, and left out.

mod emulator;
mod script;
mod zig;

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use crate::guests;
use crate::javascript;
use crate::process::{self, say};
use crate::profile::Profile;
use crate::toolchain::Way;
use crate::workspace::Workspace;
use emulator::Emulator;

/// A system to build for.
struct Platform {
    /// Rust's name.
    triple: &'static str,
    /// Zig's name.
    zig: &'static str,
    /// Runs its programs here.
    emulator: Option<Emulator>,
}

const PLATFORMS: [Platform; 5] = [
    Platform { triple: "aarch64-apple-darwin", zig: "aarch64-macos", emulator: None },
    Platform { triple: "x86_64-apple-darwin", zig: "x86_64-macos", emulator: None },
    Platform { triple: "x86_64-unknown-freebsd", zig: "x86_64-freebsd", emulator: None },
    Platform {
        triple: "aarch64-unknown-linux-gnu",
        zig: "aarch64-linux-gnu",
        emulator: Some(emulator::QEMU),
    },
    Platform { triple: "x86_64-pc-windows-gnu", zig: "x86_64-windows-gnu", emulator: Some(emulator::WINE) },
];

/// How far it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Compiles the host library alone, without machine code.
    Library,
    /// Compiles everything, without machine code.
    Check,
    /// Builds `uv-run` and the programs of the tests.
    Link,
    /// Runs what an emulator runs.
    Run,
}

/// The packages. Each run of cargo names all that are for a platform, so that wasmtime has the same
/// features.
const PACKAGES: [&str; 3] = ["uv-handles-host", "uv-run", "uv-handles-tests"];

/// The package of the host library.
const LIBRARY: &str = "uv-handles-host";

/// Its features, but those that bring WASI with them.
const FEATURES: &str = "concurrent";

/// The tests that are linked: those of `uv-run` as a program, and whole-system tests that run guests
/// in their own process. The others need more of Linux.
const TESTS: [&str; 8] =
    ["end_to_end", "console_events", "async_handle", "event_loop", "handle", "poll", "timer", "watchers"];

/// Checks, links or runs for each platform, or for those that are named.
pub fn run(workspace: &Workspace, forced: Option<Way>, depth: Depth, only: &[String]) -> Result<()> {
    for name in only {
        let is_known = PLATFORMS.iter().any(|platform| platform.triple == name);
        ensure!(is_known, "{name} is none of the platforms: {}", names().join(", "));
    }
    let python = match javascript::compiler(workspace) {
        Ok(python) => python,
        Err(error) => {
            say(format_args!("skipped: nothing is built for other platforms: {error:#}"));
            return Ok(());
        }
    };
    let chosen = PLATFORMS.iter().filter(|it| only.is_empty() || only.iter().any(|name| name == it.triple));
    for platform in chosen {
        match rustup_target_add(platform.triple) {
            Ok(()) => build(workspace, forced, depth, &python, platform)?,
            Err(error) => say(format_args!("skipped: nothing is built for {}: {error:#}", platform.triple)),
        }
    }
    Ok(())
}

/// The names of all platforms.
fn names() -> [&'static str; PLATFORMS.len()] {
    std::array::from_fn(|at| PLATFORMS[at].triple)
}

fn rustup_target_add(triple: &str) -> Result<()> {
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", triple]).stdin(Stdio::null()).stderr(Stdio::null());
    process::run(&mut rustup)
}

fn build(
    workspace: &Workspace,
    forced: Option<Way>,
    depth: Depth,
    python: &Path,
    platform: &Platform,
) -> Result<()> {
    let triple = platform.triple;
    if depth == Depth::Library {
        say(format_args!("checking {LIBRARY} for {triple}"));
        let mut cargo = process::cargo();
        // In the dev profile, whose build scripts compile in the shortest time.
        cargo.args(["check", "--package", LIBRARY, "--features", FEATURES, "--target", triple]);
        zig::select(workspace, python, platform, &mut cargo)?;
        return process::run(&mut cargo);
    }
    let cargo = |command: &str| -> Result<Command> {
        let mut cargo = process::cargo();
        cargo.args([command, "--profile", Profile::Quick.name(), "--target", triple]);
        cargo.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
        cargo.args(["--lib", "--bins"]);
        zig::select(workspace, python, platform, &mut cargo)?;
        Ok(cargo)
    };
    let packages = PACKAGES.join(", ");
    if depth == Depth::Check {
        say(format_args!("checking {packages} for {triple}"));
        return process::run(cargo("check")?.arg("--tests"));
    }
    say(format_args!("building {packages} and their tests for {triple}"));
    let tests = TESTS.iter().flat_map(|test| ["--test", test]);
    process::run(cargo("test")?.args(tests.clone()).arg("--no-run"))?;
    if depth == Depth::Link {
        return Ok(());
    }
    let Some(emulator) = &platform.emulator else {
        say(format_args!("skipped: nothing here runs programs for {triple}"));
        return Ok(());
    };
    let cc = zig::cc(workspace, python, platform)?;
    let runner = match emulator.runner(workspace, &cc) {
        Ok(runner) => runner,
        Err(error) => {
            say(format_args!("skipped: the programs for {triple} are not run: {error:#}"));
            return Ok(());
        }
    };
    let guests = guests::build(workspace, forced)?;
    say(format_args!("running the tests for {triple}"));
    let mut cargo = cargo("test")?;
    cargo.args(tests).env("UV_HANDLES_GUESTS", &guests);
    cargo.env(variable("CARGO_TARGET", triple, "RUNNER"), &runner);
    // For programs that a test starts.
    if emulator.needs_runner_inside() {
        cargo.env("UV_HANDLES_RUNNER", &runner);
    }
    cargo.arg("--").args(emulator.skipped().iter().flat_map(|test| ["--skip", test]));
    process::run(&mut cargo)
}

/// The name of an environment variable for a target.
fn variable(prefix: &str, triple: &str, suffix: &str) -> String {
    let triple = triple.replace('-', "_").to_uppercase();
    format!("{prefix}_{triple}_{suffix}")
}
