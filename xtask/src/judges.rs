//! `cargo xtask judges`: other projects' test suites, in the sandbox. tests/judges/README.md says which.
//!
//! They are fetched once into target/judges, and are not part of the repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{self, say};
use crate::profile::Profile;
use crate::python;
use crate::uv_run;
use crate::workspace::Workspace;

/// CPython's tests, and the part of the library that they use, which is in a package of its own.
const CPYTHON: [&str; 2] = ["libpython3.11-testsuite", "libpython3.11-stdlib"];

const UVLOOP: &str = "uvloop==0.22.1";
const PYUV: &str = "pyuv==1.4.0";

/// A file of tests takes minutes at most, also on a busy machine.
const LIMIT: &str = "--timeout=900";

/// A suite: its adapter in tests/judges, and its files of tests.
struct Suite {
    name: &'static str,
    /// Where its modules are, below target/judges.
    path: &'static str,
    modules: &'static [&'static str],
}

const SUITES: [Suite; 3] = [
    Suite {
        name: "cpython",
        path: "cpython",
        modules: &[
            "test.test_asyncio.test_base_events",
            "test.test_asyncio.test_events",
            "test.test_asyncio.test_runners",
            "test.test_asyncio.test_taskgroups",
            "test.test_asyncio.test_tasks",
            "test.test_asyncio.test_timeouts",
            "test.test_asyncio.test_waitfor",
        ],
    },
    Suite {
        name: "uvloop",
        path: "uvloop",
        modules: &["tests.test_base", "tests.test_context", "tests.test_signals", "tests.test_sockets"],
    },
    Suite {
        name: "pyuv",
        path: "pyuv/tests",
        modules: &[
            "test_check",
            "test_idle",
            "test_loop",
            "test_loop_handles",
            "test_multihandles",
            "test_prepare",
            "test_timer",
        ],
    },
];

/// Fetches all suites, runs them, and prints their figures. An error if a case has failed.
pub fn run(workspace: &Workspace) -> Result<()> {
    let dir = fetch(workspace)?;
    run_fetched(workspace, &dir)
}

/// The same as a part of the tests: where the suites cannot be fetched, a message says so.
pub fn run_if_fetched(workspace: &Workspace) -> Result<()> {
    match fetch(workspace) {
        Ok(dir) => run_fetched(workspace, &dir),
        Err(error) => {
            say(format_args!("skipped: other projects' test suites cannot be fetched: {error:#}"));
            Ok(())
        }
    }
}

fn run_fetched(workspace: &Workspace, dir: &Path) -> Result<()> {
    let runtime = python::build(workspace)?;
    let uv_run = uv_run::build(workspace, Profile::Quick)?;
    let mut figures = Vec::new();
    for suite in &SUITES {
        for module in suite.modules {
            say(format_args!("{}: {module}", suite.name));
            let output = judge(workspace, &uv_run, &runtime, dir, suite, module)?;
            figures.push(format!("{} {output}", suite.name));
        }
    }
    for line in &figures {
        println!("{line}");
    }
    match figures.iter().filter(|line| !line.ends_with("failed 0")).count() {
        0 => Ok(()),
        failed => bail!("{failed} files of other projects' tests have failed"),
    }
}

/// Runs a file of tests, and returns its figures. Prints what it printed if a case failed.
fn judge(
    workspace: &Workspace,
    uv_run: &Path,
    runtime: &Path,
    dir: &Path,
    suite: &Suite,
    module: &str,
) -> Result<String> {
    let judges = workspace.root.join("tests/judges");
    let scratch = dir.join("tmp");
    fs::create_dir_all(&scratch).with_context(|| format!("cannot make {}", scratch.display()))?;
    // A shell lets programs in the background ignore Ctrl+C, and scripts inherit it.
    let mut command = Command::new("env");
    command.arg("--default-signal=INT").arg(uv_run).env("UV_HANDLES_PYTHON", runtime);
    command.args([LIMIT, "--signal=int", "--env=HOME=/tmp"]);
    command.arg(format!("--dir={}::/tmp", scratch.display()));
    command.arg(format!("--dir-ro={}::/judges", judges.display()));
    let adapter = judges.join(suite.name);
    let without_tls = workspace.root.join("guest-sdk/python/without_tls");
    for path in [&adapter, &dir.join(suite.path), &without_tls] {
        // CPython's own tests see that there is no TLS by themselves.
        if suite.name != "cpython" || path != &without_tls {
            command.arg("--pythonpath").arg(path);
        }
    }
    // Loopback, for the cases that need no peer in another thread.
    for address in ["127.0.0.1", "[::1]", "0.0.0.0", "[::]"] {
        for option in ["tcp-listen", "tcp-connect", "udp-bind", "udp-send"] {
            command.arg(format!("--{option}={address}:*"));
        }
    }
    command.arg("--name-lookup");
    command.arg(judges.join("run.py")).arg(format!("{}_adapter", suite.name)).arg(module);
    command.arg(format!("/judges/{}/exceptions.txt", suite.name));
    let output = command.output().context("cannot start uv-run")?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    let figures = stdout.lines().rev().find_map(|line| line.strip_prefix("judge: "));
    if !output.status.success() {
        eprintln!("{stdout}{}", String::from_utf8_lossy(&output.stderr));
    }
    match figures {
        Some(figures) => Ok(figures.to_owned()),
        None => bail!("{module} of {} ended without figures ({})", suite.name, output.status),
    }
}

/// Fetches the suites, unless they are there. Returns their directory.
fn fetch(workspace: &Workspace) -> Result<PathBuf> {
    let dir = workspace.target_dir.join("judges");
    let stamp = dir.join("fetched");
    let wanted = [CPYTHON.join(" "), UVLOOP.into(), PYUV.into()].join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|fetched| fetched == wanted) {
        return Ok(dir);
    }
    say("fetching the test suites of CPython from Debian, and those of uvloop and pyuv from PyPI");
    let packages = dir.join("packages");
    fs::create_dir_all(&packages).with_context(|| format!("cannot make {}", packages.display()))?;
    let root = dir.join("debian");
    let download =
        || process::run(Command::new("apt-get").arg("download").args(CPYTHON).current_dir(&packages));
    if let Err(error) = download() {
        // The lists of packages may be missing or old.
        if !workspace.installs || !rustix::process::geteuid().is_root() {
            return Err(error).context("it takes Debian 12, where python3.11 comes from");
        }
        process::run(Command::new("apt-get").arg("update"))?;
        download().context("it takes Debian 12, where python3.11 comes from")?;
    }
    for package in CPYTHON {
        let file = find(&packages, package, ".deb")?;
        process::run(Command::new("dpkg-deb").arg("--extract").arg(file).arg(&root))?;
    }
    let cpython = dir.join("cpython");
    fs::create_dir_all(&cpython)?;
    process::run(Command::new("cp").arg("-r").arg(root.join("usr/lib/python3.11/test")).arg(&cpython))?;
    for (package, name) in [(UVLOOP, "uvloop"), (PYUV, "pyuv")] {
        // pip asks the package's build for its metadata, which takes minutes for uvloop.
        if find(&packages, name, ".tar.gz").is_err() {
            python::download(workspace, package, &packages)?;
        }
        let file = find(&packages, name, ".tar.gz")?;
        let unpacked = dir.join(name);
        fs::create_dir_all(&unpacked)?;
        process::run(
            Command::new("tar").args(["--strip-components=1", "-xzf"]).arg(file).arg("-C").arg(&unpacked),
        )?;
    }
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(dir)
}

/// The file in a directory with this beginning and end.
fn find(dir: &Path, prefix: &str, suffix: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(prefix) && name.ends_with(suffix) {
            return Ok(entry.path());
        }
    }
    bail!("there is no {prefix}*{suffix} in {}", dir.display())
}
