//! The commands `uv-run`, which the demo shows and the tests start, and `uv-compose`, which it starts.

use std::path::PathBuf;

use anyhow::Result;

use crate::process::{self, say};
use crate::workspace::Workspace;

/// Builds it. Returns the program.
pub fn build(workspace: &Workspace) -> Result<PathBuf> {
    say("building uv-run (the first time, wasmtime takes some minutes)");
    let mut cargo = process::cargo();
    cargo.args(["build", "--release", "--package", "uv-handles-host", "--bin", "uv-run"]);
    process::run(&mut cargo)?;
    Ok(workspace.target_dir.join("release/uv-run"))
}

/// Builds what `uv-run --compose` starts, where it finds it. By a cargo of its own, as everything that is not to
/// change wasmtime's features.
pub fn build_compose() -> Result<()> {
    say("building uv-compose");
    process::run(process::cargo().args(["build", "--release", "--package", "uv-handles-compose"]))
}
