//! The command `uv-run`, which the demo shows and the tests start.

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
