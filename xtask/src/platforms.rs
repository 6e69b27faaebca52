//! `cargo xtask platforms`: the host library for other systems than this one.
//!
//! The compiler for C parts of dependencies is Zig's, from PyPI, as for the JavaScript runtime. What
//! cannot be had is said, and that platform is left out.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::javascript;
use crate::process::{self, say};
use crate::workspace::Workspace;

/// A system to build for.
struct Platform {
    /// Rust's name.
    triple: &'static str,
    /// Zig's name.
    zig: &'static str,
}

/// The package that is checked.
const PACKAGE: &str = "uv-handles-host";

/// Its features, but those that bring WASI with them.
const FEATURES: &str = "concurrent";

const PLATFORMS: [Platform; 5] = [
    Platform { triple: "aarch64-apple-darwin", zig: "aarch64-macos" },
    Platform { triple: "x86_64-apple-darwin", zig: "x86_64-macos" },
    Platform { triple: "x86_64-unknown-freebsd", zig: "x86_64-freebsd" },
    Platform { triple: "aarch64-unknown-linux-gnu", zig: "aarch64-linux-gnu" },
    Platform { triple: "x86_64-pc-windows-gnu", zig: "x86_64-windows-gnu" },
];

/// Compiles C: without the options for the target that the crate `cc` passes, whose names Zig does not
/// know.
const CC: &str = r#"#!/bin/sh
skip=
for arg; do
    shift
    case $skip$arg in
    skip*) skip= ;;
    --target=* | -mmacosx-version-min=* | -march=*) ;;
    -arch) skip=skip ;;
    *) set -- "$@" "$arg" ;;
    esac
done
exec "PYTHON" -m ziglang cc -target TARGET "$@"
"#;

const AR: &str = r#"#!/bin/sh
exec "PYTHON" -m ziglang ar "$@"
"#;

/// Checks the library for each platform, or for those that are named.
pub fn run(workspace: &Workspace, only: &[String]) -> Result<()> {
    for name in only {
        let is_known = PLATFORMS.iter().any(|platform| platform.triple == name);
        ensure!(is_known, "{name} is none of the platforms: {}", names().join(", "));
    }
    let python = match javascript::compiler(workspace) {
        Ok(python) => python,
        Err(error) => {
            say(format_args!("skipped: no other platform is checked: {error:#}"));
            return Ok(());
        }
    };
    let chosen = PLATFORMS.iter().filter(|it| only.is_empty() || only.iter().any(|name| name == it.triple));
    for platform in chosen {
        match rustup_target_add(platform.triple) {
            Ok(()) => check(workspace, &python, platform)?,
            Err(error) => say(format_args!("skipped: {} is not checked: {error:#}", platform.triple)),
        }
    }
    Ok(())
}

/// The names of all platforms.
fn names() -> [&'static str; PLATFORMS.len()] {
    PLATFORMS.map(|platform| platform.triple)
}

fn rustup_target_add(triple: &str) -> Result<()> {
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", triple]).stdin(Stdio::null()).stderr(Stdio::null());
    process::run(&mut rustup)
}

fn check(workspace: &Workspace, python: &Path, platform: &Platform) -> Result<()> {
    let Platform { triple, zig } = platform;
    say(format_args!("checking {PACKAGE} for {triple}"));
    let dir = workspace.target_dir.join("platforms");
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let tool = |name: &str, text: &str| -> Result<PathBuf> {
        let text = text.replace("PYTHON", &python.to_string_lossy()).replace("TARGET", zig);
        javascript::write(&dir, &format!("{zig}-{name}"), &text, 0o755)
    };
    let variable = triple.replace('-', "_");
    let mut cargo = process::cargo();
    // In the dev profile, whose build scripts compile in the shortest time.
    cargo.args(["check", "--package", PACKAGE, "--features", FEATURES, "--target", triple]);
    cargo.env(format!("CC_{variable}"), tool("cc", CC)?);
    cargo.env(format!("AR_{variable}"), tool("ar", AR)?);
    process::run(&mut cargo)
}
