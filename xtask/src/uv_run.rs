//! The programs that contain wasmtime: `uv-run`, which the demo shows and the tests start, those of the tests
//! themselves, the example of a server - and `uv-compose`, which `uv-run` starts.

use std::path::PathBuf;

use anyhow::Result;

use crate::process::{self, say};
use crate::workspace::Workspace;

/// Builds `uv-run`. Returns the program.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    build_program(workspace, "uv-run")
}

/// Builds one of the programs that contain wasmtime, in one run of cargo with the packages of all of them:
/// cargo joins the features that the packages of a run ask for, so that wasmtime is the same for all.
/// Returns the program.
pub fn build_program(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    build_program_as(workspace, "release", name)
}

/// The same with another of cargo's profiles.
pub fn build_program_as(workspace: &Workspace, profile: &str, name: &str) -> Result<PathBuf> {
    say(format_args!("building {name} (the first time, wasmtime takes some minutes)"));
    let mut cargo = process::cargo();
    cargo.args(["build", "--profile", profile, "--bin", name]);
    for package in workspace.with_wasmtime() {
        cargo.args(["--package", &package.name]);
    }
    process::run(&mut cargo)?;
    Ok(workspace.target_dir.join(profile).join(name))
}

/// Builds what `uv-run --compose` starts, where it finds it. By a cargo of its own, as everything that is not to
/// change wasmtime's features.
pub fn build_compose() -> Result<()> {
    say("building uv-compose");
    process::run(process::cargo().args(["build", "--release", "--package", "uv-handles-compose"]))
}
