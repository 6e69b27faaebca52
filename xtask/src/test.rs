//! `cargo xtask test`: everything that can be checked by running it.
//!
//! wasmtime takes minutes to build, so it is built once: packages that use it are tested in the
//! profile `quick`, by runs of cargo that name the same packages. Cargo unifies the features that
//! the packages of a run request, and another feature in the dependencies of wasmtime rebuilds it.
//! All other packages are tested in the dev profile, with debug assertions.

use std::path::Path;

use anyhow::Result;

use crate::bench;
use crate::guests;
use crate::guide;
use crate::javascript;
use crate::judges;
use crate::new;
use crate::node_judges;
use crate::package;
use crate::plugin_host;
use crate::process::{self, say};
use crate::profile::Profile;
use crate::python;
use crate::runtimes;
use crate::toolchain::{Target, Toolchain, Way};
use crate::uv_run;
use crate::workspace::{Package, Workspace};

/// Builds the guests and runs the tests. With arguments for `cargo test`, only those of the profile
/// `quick` which they select.
pub fn run(workspace: &Workspace, forced: Option<Way>, cargo_args: &[String]) -> Result<()> {
    let guests_dir = guests::build(workspace, forced)?;
    let runtime = python::build(workspace)?;
    let javascript = javascript::build(workspace, forced, Profile::Quick)?;
    let plugins = javascript::build_test_plugins(workspace, forced)?;
    let built =
        Built { guests_dir: &guests_dir, python: &runtime, javascript: &javascript, plugins: &plugins };
    let (with_wasmtime, without): (Vec<_>, Vec<_>) = workspace
        .packages
        .iter()
        .filter(|package| !guests::is_test_guest(workspace, package))
        .partition(|package| workspace.uses(package, "wasmtime"));
    python::install_libraries(workspace)?;
    if !cargo_args.is_empty() {
        uv_run::build(workspace, Profile::Quick)?;
        uv_run::build_compose(workspace, Profile::Quick)?;
        let packages = if names_packages(cargo_args) { &[][..] } else { &with_wasmtime };
        return cargo_test(&built, packages, &["--profile", "quick"], cargo_args);
    }
    python::check_types(workspace)?;
    javascript::check_types(workspace)?;
    build_core_for_wasm(workspace, forced)?;
    cargo_test(&built, &without, &[], &[])?;
    uv_run::build(workspace, Profile::Quick)?;
    guide::run(workspace, forced)?;
    new::check(workspace, forced)?;
    package::run(workspace)?;
    uv_run::build_compose(workspace, Profile::Quick)?;
    plugin_host::check(workspace, &guests_dir)?;
    say("one round of the benchmark: all sides have to do the same work, however long that takes them");
    bench::run(workspace, forced, &bench::Options::check())?;
    // Documentation first: the last lines of the output are then those of a test program.
    cargo_test(&built, &with_wasmtime, &["--profile", "quick", "--doc"], &[])?;
    cargo_test(&built, &with_wasmtime, &["--profile", "quick", "--tests", "--examples"], &[])?;
    judges::run_if_fetched(workspace)?;
    node_judges::run_if_fetched(workspace, forced)?;
    runtimes::run(workspace, forced, &runtimes::QUICK)?;
    say("the same guests once more, as tasks of a runtime");
    let suites = SUITES_IN_PROCESS.iter().flat_map(|suite| ["--test", suite]);
    let args: Vec<&str> = ["--profile", "quick"].into_iter().chain(suites).collect();
    cargo_test_linked(&built, &with_wasmtime, &args, &[], "async")
}

/// The suites whose guests run inside of the test's process, one of them at a time: they run under each of
/// the host's linkers.
const SUITES_IN_PROCESS: [&str; 16] = [
    "async_handle",
    "descriptors",
    "ended",
    "event_loop",
    "handle",
    "hostile",
    "hostile_random",
    "interrupt",
    "limits",
    "poll",
    "signal",
    "status",
    "task",
    "timer",
    "transfer",
    "watchers",
];

/// The state machine is meant to run inside a guest too.
fn build_core_for_wasm(workspace: &Workspace, forced: Option<Way>) -> Result<()> {
    let toolchain = Toolchain::ensure(workspace, Target::Unknown, forced)?;
    say(format_args!("building uv-handles-core for {}", Target::Unknown.triple()));
    // Not `cargo check`: that could not use the standard library which was built for the guests.
    process::run(toolchain.cargo_build(Profile::Quick)?.args(["--package", "uv-handles-core"]))
}

/// The programs that the tests run.
struct Built<'a> {
    guests_dir: &'a Path,
    /// The runtimes of scripts.
    python: &'a Path,
    javascript: &'a Path,
    /// Plugins in JavaScript.
    plugins: &'a Path,
}

fn cargo_test(built: &Built<'_>, packages: &[&Package], args: &[&str], more: &[String]) -> Result<()> {
    cargo_test_linked(built, packages, args, more, "sync")
}

fn cargo_test_linked(
    built: &Built<'_>,
    packages: &[&Package],
    args: &[&str],
    more: &[String],
    linkage: &str,
) -> Result<()> {
    let mut cargo = process::cargo();
    cargo.arg("test").args(args);
    for package in packages {
        cargo.args(["--package", &package.name]);
    }
    cargo.args(more).env("UV_HANDLES_GUESTS", built.guests_dir).env("UV_HANDLES_LINKAGE", linkage);
    cargo.env("UV_HANDLES_PYTHON", built.python).env("UV_HANDLES_JAVASCRIPT", built.javascript);
    cargo.env("UV_HANDLES_JAVASCRIPT_PLUGINS", built.plugins);
    say(format_args!("running {}", process::shown(&cargo)));
    process::run(&mut cargo)
}

/// Whether arguments for cargo select packages. Arguments after `--` are for the tests.
fn names_packages(args: &[String]) -> bool {
    let mut cargos = args.iter().take_while(|arg| *arg != "--");
    cargos.any(|arg| arg.starts_with("-p") || arg.starts_with("--package") || arg == "--workspace")
}
