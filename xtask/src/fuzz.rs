//! `cargo xtask fuzz`: runs the fuzz targets of tests/fuzz with cargo-fuzz and the nightly toolchain.
//!
//! What was committed as seeds is read; what is found on the way goes to target/fuzz, so that a run leaves the
//! repository as it was. A finding is an input that cargo-fuzz names at the end.

use std::path::PathBuf;
use std::{env, fs, iter};

use anyhow::{Context, Result};

use crate::process::{self, say};
use crate::workspace::Workspace;

/// The newest version when this was written, for the same result everywhere.
const CARGO_FUZZ: &str = "0.13.2";

/// The targets, and the features that each needs.
const TARGETS: [(&str, &[&str]); 2] = [("core_calls", &[]), ("wit_surface", &["--features", "wit"])];

/// Runs each target, or one, for so many minutes; with 0, the seeds alone.
pub fn run(workspace: &Workspace, minutes: f64, target: Option<&str>) -> Result<()> {
    let cargo_fuzz = cargo_fuzz(workspace)?;
    let dir = workspace.root.join("tests/fuzz");
    let out = workspace.target_dir.join("fuzz");
    for (name, features) in TARGETS.into_iter().filter(|(name, _)| target.is_none_or(|it| it == *name)) {
        let (found, artifacts) = (out.join("corpus").join(name), out.join("artifacts").join(name));
        for dir in [&found, &artifacts] {
            fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        }
        let path = env::var_os("PATH").unwrap_or_default();
        let paths = iter::once(cargo_fuzz.clone()).chain(env::split_paths(&path));
        let mut cargo = process::nightly_cargo();
        cargo.env("PATH", env::join_paths(paths)?).args(["fuzz", "run", "--fuzz-dir"]).arg(&dir);
        cargo.arg("--target-dir").arg(&out).args(features).arg(name);
        cargo.arg(found).arg(dir.join("seeds").join(name)).arg("--");
        cargo.arg(format!("-artifact_prefix={}/", artifacts.display()));
        cargo.args(["-timeout=10", "-max_len=2048", "-print_final_stats=1"]);
        cargo.arg(match minutes {
            0.0 => "-runs=0".to_owned(),
            minutes => format!("-max_total_time={}", (minutes * 60.0).round()),
        });
        say(format_args!("fuzzing {name} for {minutes} minutes"));
        process::run(&mut cargo)?;
    }
    Ok(())
}

/// The directory of the program cargo-fuzz. It is installed below target, if it has not been.
fn cargo_fuzz(workspace: &Workspace) -> Result<PathBuf> {
    let root = workspace.target_dir.join("fuzz-tools");
    if !root.join("bin/cargo-fuzz").is_file() {
        let mut cargo = process::cargo();
        cargo.args(["install", "cargo-fuzz", "--version", CARGO_FUZZ, "--locked", "--root"]).arg(&root);
        process::run(&mut cargo)?;
    }
    Ok(root.join("bin"))
}
