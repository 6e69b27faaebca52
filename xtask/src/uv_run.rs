//! The programs that contain wasmtime: `uv-run`, those of the tests, the example server; and
//! `uv-compose`, which `uv-run` starts.

use std::path::PathBuf;

use anyhow::Result;

use crate::process::{self, say};
use crate::profile::Profile;
use crate::workspace::Workspace;

/// `cargo xtask uv-run`: builds the programs that run a guest, and prints their paths and those of
/// runtimes for scripts.
pub fn provide(
    workspace: &Workspace,
    profile: Profile,
    runtimes: impl Iterator<Item = PathBuf>,
) -> Result<()> {
    let uv_compose = build_compose(workspace, profile)?;
    let uv_run = build(workspace, profile)?;
    for file in [uv_run, uv_compose].into_iter().chain(runtimes) {
        println!("{}", file.display());
    }
    Ok(())
}

/// Builds `uv-run`. Returns the program.
pub fn build(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    build_program(workspace, profile, "uv-run")
}

/// Builds one of the programs that contain wasmtime. Returns the program.
///
/// One run of cargo names the packages of all of them. Cargo unites the features that the packages
/// of a run ask for, so wasmtime and what is below it are the same for each program and for the
/// tests. Only dependencies of the program are compiled.
pub fn build_program(workspace: &Workspace, profile: Profile, name: &str) -> Result<PathBuf> {
    say(format_args!("building {name} (the first time, wasmtime takes some minutes)"));
    let mut cargo = process::cargo();
    cargo.args(["build", "--profile", profile.name(), "--bin", name]);
    for package in workspace.with_wasmtime() {
        cargo.args(["--package", &package.name]);
    }
    workspace.os.select(&mut cargo);
    process::run(&mut cargo)?;
    Ok(workspace.target_dir.join(profile.name()).join(name))
}

/// Builds `uv-compose`, beside `uv-run`. Returns the program.
///
/// It is built by a run of cargo of its own, because it would change wasmtime's features.
pub fn build_compose(workspace: &Workspace, profile: Profile) -> Result<PathBuf> {
    say("building uv-compose");
    let mut cargo = process::cargo();
    cargo.args(["build", "--profile", profile.name(), "--package", "uv-handles-compose"]);
    process::run(&mut cargo)?;
    Ok(workspace.target_dir.join(profile.name()).join("uv-compose"))
}
