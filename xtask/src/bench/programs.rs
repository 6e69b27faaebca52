//! The programs of the sides: building them, and running each in a process of its own.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Resource, getrlimit};

use super::rows::{Side, Work};
use super::runs::Run;
use crate::guests;
use crate::process;
use crate::profile::Profile;
use crate::toolchain::Way;
use crate::uv_run;
use crate::workspace::{Package, Workspace};

/// The time limit of a run, far longer than any run takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// Descriptors that a program has beside those of its work.
const OTHER_DESCRIPTORS: u64 = 100;

/// The programs that have been built.
pub struct Programs {
    /// The sides in the sandbox, and on stock WASI.
    sandbox: PathBuf,
    /// Where native programs are.
    native: PathBuf,
    /// Where compiled guests are.
    compiled: PathBuf,
    /// As many descriptors as a program may have.
    descriptors: u64,
    /// As many pieces as its memory may be in.
    mappings: u64,
}

/// The pieces of memory that a guest takes with the recommended engine, and some for all else.
const MAPPINGS_PER_GUEST: u64 = 6;
const OTHER_MAPPINGS: u64 = 500;

/// The guests, by the names that their compiled files get: the file, and the engine's configuration.
const GUESTS: [(&str, &str, &str); 11] = [
    ("guest", "bench_guest.wasm", "recommended"),
    ("guest-concurrency", "bench_guest.wasm", "concurrency"),
    ("guest-without-epochs", "bench_guest.wasm", "without-epochs"),
    ("network", "bench_network.wasm", "recommended"),
    ("composed", "composed/partial/bench_guest.wasm", "recommended"),
    ("by-hand", "bench_wasi.wasm", "recommended"),
    ("wstd", "bench_wstd.wasm", "recommended"),
    ("plugin", "bench-plugin.wasm", "dense"),
    ("with", "bench_with.wasm", "recommended"),
    ("with-on-demand", "bench_with.wasm", "on-demand"),
    ("without", "bench_without.wasm", "recommended"),
];

impl Programs {
    /// Builds all of them in this profile, and compiles the guests.
    pub fn build(
        workspace: &Workspace,
        forced: Option<Way>,
        profile: Profile,
        dir: &Path,
    ) -> Result<Programs> {
        let folders = ["tests/bench", "host/adapter"].map(|folder| workspace.root.join(folder));
        let is_needed = |package: &Package| folders.iter().any(|folder| package.manifest.starts_with(folder));
        let guests = dir.join("guests");
        guests::build_some(workspace, forced, profile, is_needed, &guests)?;
        let mut cargo = process::cargo();
        cargo.args(["build", "--profile", profile.name(), "--package", "uv-handles-bench-native"]);
        process::run(&mut cargo)?;
        let sandbox = uv_run::build_program(workspace, profile, "bench")?;
        let compiled = dir.join("compiled");
        std::fs::create_dir_all(&compiled)?;
        for (name, file, configuration) in GUESTS {
            let mut compile = Command::new(&sandbox);
            compile.args(["compile", configuration]).arg(guests.join(file));
            process::run(compile.arg(compiled.join(format!("{name}.cwasm"))))?;
        }
        let descriptors = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        let mappings = std::fs::read_to_string("/proc/sys/vm/max_map_count").context("this is Linux")?;
        let mappings = mappings.trim().parse().context("it is a number")?;
        let native = workspace.target_dir.join(profile.name());
        Ok(Programs { sandbox, native, compiled, descriptors, mappings })
    }

    /// A work's numbers, as far as the system's limits let it do as much.
    pub fn numbers(&self, work: &Work, quick: bool) -> Vec<u64> {
        let mut numbers = if quick { work.quick } else { work.full }.to_vec();
        if matches!(work.name, "many-polls" | "many-shared-polls") || is_of_many(work) {
            // Two for each: the granted one and the guest's own; the loop's poller and its waker.
            let room = self.descriptors.saturating_sub(OTHER_DESCRIPTORS) / 2;
            numbers[0] = numbers[0].min(room);
        }
        if is_of_many(work) {
            numbers[0] = numbers[0].min(self.mappings.saturating_sub(OTHER_MAPPINGS) / MAPPINGS_PER_GUEST);
        }
        numbers
    }

    /// Does a work once.
    pub fn run(&self, work: &Work, side: Side, numbers: &[u64]) -> Result<Run> {
        let mut command = self.command(work, side);
        command.args(numbers.iter().map(u64::to_string));
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{}`", process::shown(&command)))?;
        let mut stdout = child.stdout.take().context("it is a pipe")?;
        let (send, printed) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            let mut text = String::new();
            let read = stdout.read_to_string(&mut text);
            // It has no receiver any more if that took too long.
            let _ = send.send(read.map(|_| text));
        });
        let Ok(printed) = printed.recv_timeout(PATIENCE) else {
            child.kill()?;
            child.wait()?;
            bail!("`{}` does not end", process::shown(&command));
        };
        let status = child.wait()?;
        ensure!(status.success(), "`{}` failed ({status})", process::shown(&command));
        reader.join().ok().context("the output has been read")?;
        Run::parse(&printed?).with_context(|| format!("`{}` prints no report", process::shown(&command)))
    }

    fn command(&self, work: &Work, side: Side) -> Command {
        let compiled = |name: &str| self.compiled.join(format!("{name}.cwasm"));
        let sandbox = |args: &[&str], name: &str| {
            let mut command = Command::new(&self.sandbox);
            command.args(args).arg(compiled(name));
            command
        };
        let native = |name: &str| {
            let mut command = Command::new(self.native.join(name));
            command.arg(work.name);
            command
        };
        let run = |configuration: &str, linker: &str, name: &str| {
            let mut command = sandbox(&["run", configuration, linker], name);
            command.arg(work.name);
            command
        };
        match (work.name, side) {
            ("programs", _) => sandbox(&["programs"], "guest"),
            ("set" | "supervised" | "set-with-slack" | "plugins" | "called" | "in-turn", _) => {
                sandbox(&[work.name], "plugin")
            }
            ("instantiate", Side::Sandbox) => sandbox(&["instantiate", "recommended", "uv"], "with"),
            ("instantiate", Side::OnDemand) => sandbox(&["instantiate", "on-demand", "uv"], "with-on-demand"),
            ("instantiate", _) => sandbox(&["instantiate", "recommended", "wasi"], "without"),
            ("random-timers", Side::Libuv) => native("bench-libuv-virtual"),
            ("pollables" | "requests" | "pending-requests", Side::Sandbox) => {
                run("recommended", "uv", "network")
            }
            (_, Side::Libuv) => native("bench-libuv"),
            (_, Side::Tokio) => native("bench-tokio"),
            (_, Side::Sandbox | Side::OnDemand) => run("recommended", "uv", "guest"),
            (_, Side::WithoutEpochs) => run("without-epochs", "uv", "guest-without-epochs"),
            (_, Side::Concurrency) => run("concurrency", "uv", "guest-concurrency"),
            (_, Side::Composed) => run("recommended", "wasi", "composed"),
            (_, Side::ByHand) => run("recommended", "wasi", "by-hand"),
            (_, Side::Wstd) => run("recommended", "wasi", "wstd"),
        }
    }
}

/// Whether many guests do it.
fn is_of_many(work: &Work) -> bool {
    matches!(
        work.name,
        "programs" | "set" | "supervised" | "set-with-slack" | "plugins" | "called" | "in-turn"
    )
}
