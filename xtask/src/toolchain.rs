//! The toolchain for the guests: a compiler with the standard library of a target.
//!
//! In this order: the toolchain in use has the target; `rustup target add` gets it; Debian's
//! packages bring a compiler of their own and the standard library's sources, from which cargo
//! builds it. The last way is for machines that reach Debian's mirrors but not rustup's servers.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use crate::debian::Packages;
use crate::process::{self, say};
use crate::profile::Profile;
use crate::workspace::Workspace;

/// Debian's compiler, its cargo, the standard library's sources (always of the compiler's version,
/// which `-Zbuild-std` needs) and the C library for WASI.
const DEBIAN: Packages = Packages {
    names: &["rustc-web", "cargo-web", "rust-web-src", "wasi-libc"],
    purpose: "building guests",
    elsewhere: "Guests need the targets that `rustup target add wasm32-wasip2 wasm32-unknown-unknown` installs",
};

/// Where Debian's wasi-libc has its libraries and start-up objects.
const DEBIAN_WASI_LIBC: &str = "/usr/lib/wasm32-wasi";

/// How guests are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// The toolchain in use, with the target that rustup installs
    Rustup,
    /// Debian's rustc-web, which builds the standard library from source
    Debian,
}

/// A compilation target of guests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Programs and libraries with WASI 0.2; the linker makes components of them.
    Wasip2,
    /// Libraries without any WASI. They are linked as for [`Target::Wasip2`].
    Unknown,
}

impl Target {
    /// The name for rustc and rustup.
    pub fn triple(self) -> &'static str {
        match self {
            Target::Wasip2 => "wasm32-wasip2",
            Target::Unknown => "wasm32-unknown-unknown",
        }
    }
}

/// A compiler that can build guests for one target.
pub struct Toolchain {
    way: Way,
    target: Target,
    build_dir: PathBuf,
}

impl Toolchain {
    /// Finds the toolchain for a target, and installs missing parts. `forced` rules out every other
    /// way.
    pub fn ensure(workspace: &Workspace, target: Target, forced: Option<Way>) -> Result<Self> {
        let triple = target.triple();
        let way = match forced {
            Some(Way::Rustup) => {
                if !is_installed(target)? {
                    rustup_target_add(target)?;
                }
                Way::Rustup
            }
            Some(Way::Debian) => {
                DEBIAN.ensure(workspace.installs)?;
                Way::Debian
            }
            None if is_installed(target)? => Way::Rustup,
            // It was needed before. Do not try to reach rustup's servers again each time.
            None if Self::new(workspace, target, Way::Debian).artifacts(Profile::Quick).is_dir()
                && DEBIAN.missing().is_ok_and(|missing| missing.is_empty()) =>
            {
                Way::Debian
            }
            None => match rustup_target_add(target) {
                Ok(()) => Way::Rustup,
                Err(error) => {
                    say(format_args!("{error:#}; falling back to Debian's packages for {triple}"));
                    DEBIAN.ensure(workspace.installs).with_context(|| {
                        format!("there is no way to build guests for {triple} on this machine")
                    })?;
                    Way::Debian
                }
            },
        };
        Ok(Self::new(workspace, target, way))
    }

    /// Each compiler has a directory of its own, because outputs of two compilers must not mix. All
    /// guests share it, so that the standard library is built once.
    fn new(workspace: &Workspace, target: Target, way: Way) -> Self {
        let name = match way {
            Way::Rustup => "rustup",
            Way::Debian => "debian",
        };
        Toolchain { way, target, build_dir: workspace.target_dir.join("guest-build").join(name) }
    }

    /// The directory that the artifacts of a profile are in.
    pub fn artifacts(&self, profile: Profile) -> PathBuf {
        self.build_dir.join(self.target.triple()).join(profile.name())
    }

    /// cargo's target directory.
    pub fn build_dir(&self) -> &Path {
        &self.build_dir
    }

    /// Which compiler this is, for messages.
    pub fn describe(&self) -> &'static str {
        match self.way {
            Way::Rustup => "the installed target",
            Way::Debian => "Debian's rustc-web, standard library from source",
        }
    }

    /// `cargo build` with this profile for this target.
    pub fn cargo_build(&self, profile: Profile) -> Result<Command> {
        let mut command = self.cargo()?;
        command.args(["build", "--profile", profile.name(), "--target", self.target.triple()]);
        command.arg("--target-dir").arg(&self.build_dir);
        Ok(command)
    }

    /// A shell in which `cargo build` with this target builds a guest, as it does for a user.
    /// Programs in these folders have precedence over all others.
    pub fn shell(&self, folders: &[&Path]) -> Result<Command> {
        let cargo = self.cargo()?;
        let mut shell = Command::new("sh");
        let mut path = env::var_os("PATH").unwrap_or_default();
        for (name, value) in cargo.get_envs() {
            match value {
                Some(value) if name == "PATH" => path = value.to_owned(),
                Some(value) => drop(shell.env(name, value)),
                None => drop(shell.env_remove(name)),
            }
        }
        // The cargo that this is about, also if the shell would find another one first.
        let cargo = Path::new(cargo.get_program()).parent().filter(|dir| dir.is_absolute());
        let first = folders.iter().copied().chain(cargo).map(Path::to_owned);
        shell.env("PATH", env::join_paths(first.chain(env::split_paths(&path)))?);
        Ok(shell)
    }

    /// A cargo with the environment to build for this target.
    fn cargo(&self) -> Result<Command> {
        let mut command = match self.way {
            Way::Rustup => rustup_cargo(),
            Way::Debian => self.debian_cargo()?,
        };
        if self.target == Target::Unknown {
            // rustc's default for this target links a core module. The linker for wasm32-wasip2
            // makes a component of that, and adds nothing if the module imports no WASI.
            command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "wasm-component-ld");
        }
        if self.way == Way::Debian {
            command.env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
        }
        Ok(command)
    }

    fn debian_cargo(&self) -> Result<Command> {
        let linkers = linker_dirs()?;
        let mut command = Command::new("/usr/bin/cargo");
        // This program was started by another cargo, perhaps through rustup: their settings of
        // toolchains are wrong for this one.
        for (name, _) in env::vars_os() {
            if belongs_to_other_toolchain(&name.to_string_lossy()) {
                command.env_remove(&name);
            }
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(PathBuf::from("/usr/bin")).chain(env::split_paths(&path)).chain(linkers);
        command.env("PATH", env::join_paths(path)?);
        command.env("RUSTC", "/usr/bin/rustc");
        // `-Zbuild-std` is not stable yet.
        command.env("RUSTC_BOOTSTRAP", "1");
        if self.target == Target::Wasip2 {
            // "Self-contained" means that rustc chooses the start-up object, for a program or for
            // a library, and links the C library; it looks for them in the directories of -L.
            command
                .env("CARGO_ENCODED_RUSTFLAGS", format!("-L{DEBIAN_WASI_LIBC}\x1f-Clink-self-contained=yes"));
        }
        Ok(command)
    }
}

fn rustup_cargo() -> Command {
    let mut command = process::cargo();
    // Flags that the user has set are meant for the machine's own programs.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"] {
        command.env_remove(name);
    }
    command
}

/// Whether a variable selects a toolchain or describes the present build. The user's settings for
/// registries, network and output stay.
fn belongs_to_other_toolchain(name: &str) -> bool {
    const SETTINGS: [&str; 9] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTRIES_",
        "CARGO_REGISTRY_",
        "CARGO_SOURCE_",
        "CARGO_TERM_",
        "CARGO_BUILD_JOBS",
        "RUST_BACKTRACE",
    ];
    name == "LD_LIBRARY_PATH"
        || ((name.starts_with("CARGO") || name.starts_with("RUST"))
            && !SETTINGS.iter().any(|setting| name.starts_with(setting)))
}

/// Whether the toolchain in use has the target's standard library.
fn is_installed(target: Target) -> Result<bool> {
    let mut command = process::rustc();
    command.args(["--print", "target-libdir", "--target", target.triple()]);
    Ok(Path::new(&process::output(&mut command)?).is_dir())
}

fn rustup_target_add(target: Target) -> Result<()> {
    let mut command = Command::new("rustup");
    command.args(["target", "add", target.triple()]);
    // Without it, rustup follows its error message with a backtrace.
    command.env("RUST_BACKTRACE", "0");
    say(format_args!("running {}", process::shown(&command)));
    let output = command.stdin(Stdio::null()).output().context("cannot start rustup")?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let reason = stderr.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or("it gave no reason");
    bail!("`{}` failed: {}", process::shown(&command), shortened(reason));
}

/// The first and the last error of a chain of causes. The ones between are file names.
fn shortened(reason: &str) -> String {
    let causes: Vec<&str> = reason.split(": ").collect();
    match causes.as_slice() {
        [first, _, .., last] => format!("{first}: ...: {last}"),
        _ => reason.to_owned(),
    }
}

/// The directories of `rust-lld`, which finds its LLVM library only from where it is installed, and
/// of the `wasm-ld` beside it. Debian's compiler has neither.
fn linker_dirs() -> Result<[PathBuf; 2]> {
    let sysroot = process::output(process::rustc().args(["--print", "sysroot"]))?;
    let host = process::output(process::rustc().args(["--print", "host-tuple"]))?;
    let dir = Path::new(&sysroot).join("lib/rustlib").join(host).join("bin");
    for program in ["rust-lld", "wasm-component-ld"] {
        ensure!(
            dir.join(program).is_file(),
            "there is no {program} in {}: run cargo from a toolchain that rustup installed, its \
             linkers serve Debian's compiler too",
            dir.display()
        );
    }
    Ok([dir.clone(), dir.join("gcc-ld")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_keeps_both_ends() {
        assert_eq!(shortened("download failed: from A: to B: refused"), "download failed: ...: refused");
        assert_eq!(shortened("no such target: x"), "no such target: x");
    }

    #[test]
    fn another_toolchains_variables_are_dropped_and_settings_kept() {
        for name in [
            "CARGO",
            "CARGO_MANIFEST_DIR",
            "CARGO_TARGET_DIR",
            "LD_LIBRARY_PATH",
            "RUSTC",
            "RUSTC_WRAPPER",
            "RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(belongs_to_other_toolchain(name), "{name}");
        }
        for name in
            ["CARGO_HOME", "CARGO_HTTP_PROXY", "CARGO_REGISTRIES_MIRROR_INDEX", "CARGO_TERM_COLOR", "PATH"]
        {
            assert!(!belongs_to_other_toolchain(name), "{name}");
        }
    }
}
