//! Zig from PyPI: a C compiler and a linker for each platform, with the libraries of the system.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::platforms::{Platform, script, variable};
use crate::workspace::Workspace;

/// Compiles C and links: without the options for the target, whose names Zig does not know, and without
/// libraries that it has under other names, adds by itself, or does not have and no program here uses.
const CC: &str = r#"#!/bin/sh
skip=
for arg; do
    shift
    case $skip$arg in
    skip*) skip= ;;
    --target=* | -mmacosx-version-min=* | -march=* | -m64) ;;
    -arch) skip=skip ;;
    -lgcc_s | -lgcc_eh) set -- "$@" -lunwind ;;
    -Wl,-Bstatic | -Wl,-Bdynamic | -nodefaultlibs | -lgcc | -lmsvcrt | -lmingw* | -l:libpthread.a) ;;
    -liconv | -lkvm | -lmemstat | -lprocstat | -ldevstat) ;;
    *) set -- "$@" "$arg" ;;
    esac
done
exec "PYTHON" -m ziglang cc -target TARGET "$@"
"#;

const AR: &str = r#"#!/bin/sh
exec "PYTHON" -m ziglang ar "$@"
"#;

/// Makes a run of cargo use Zig for a platform. The Python has it as a module.
pub fn select(workspace: &Workspace, python: &Path, platform: &Platform, cargo: &mut Command) -> Result<()> {
    let cc = cc(workspace, python, platform)?;
    let triple = platform.triple.replace('-', "_");
    cargo.env(format!("CC_{triple}"), &cc);
    cargo.env(format!("AR_{triple}"), tool(workspace, python, platform, "ar", AR)?);
    cargo.env(variable("CARGO_TARGET", platform.triple, "LINKER"), cc);
    // Otherwise rustc asks Xcode for the libraries of macOS.
    cargo.env("SDKROOT", dir(workspace));
    Ok(())
}

/// The C compiler for a platform, which links too.
pub fn cc(workspace: &Workspace, python: &Path, platform: &Platform) -> Result<PathBuf> {
    tool(workspace, python, platform, "cc", CC)
}

fn tool(
    workspace: &Workspace,
    python: &Path,
    platform: &Platform,
    name: &str,
    text: &str,
) -> Result<PathBuf> {
    let dir = dir(workspace);
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let text = text.replace("PYTHON", &python.to_string_lossy()).replace("TARGET", platform.zig);
    let file = dir.join(format!("{}-{name}", platform.zig));
    script::write(&file, &text)?;
    Ok(file)
}

fn dir(workspace: &Workspace) -> PathBuf {
    workspace.target_dir.join("platforms")
}
