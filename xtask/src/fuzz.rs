//! `cargo xtask fuzz`: runs the fuzz targets of tests/fuzz with cargo-fuzz and the nightly toolchain.
//!
//! A target's seeds are one archive, tests/fuzz/seeds/TARGET.seeds. A run unpacks it below target/fuzz
//! and keeps what it finds there too, so it leaves the repository as it was. After a run, a minimized
//! archive lies in target/fuzz, ready to replace the committed one. cargo-fuzz names the input of a
//! failure at the end.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, iter};

use anyhow::{Context, Result, bail};

use crate::process::{self, say};
use crate::workspace::Workspace;

/// A fixed version, for the same result everywhere.
const CARGO_FUZZ: &str = "0.13.2";

/// The targets, and the features that each needs.
const TARGETS: [(&str, &[&str]); 3] =
    [("core_calls", &[]), ("sessions", &["--features", "wit"]), ("wit_surface", &["--features", "wit"])];

/// Runs each target, or one, for so many minutes; with 0, the seeds alone.
pub fn run(workspace: &Workspace, minutes: f64, target: Option<&str>) -> Result<()> {
    let cargo_fuzz = cargo_fuzz(workspace)?;
    let dir = workspace.root.join("tests/fuzz");
    let out = workspace.target_dir.join("fuzz");
    for (name, features) in TARGETS.into_iter().filter(|(name, _)| target.is_none_or(|it| it == *name)) {
        let [seeds, found, artifacts] = ["seeds", "corpus", "artifacts"].map(|of| out.join(of).join(name));
        for dir in [&found, &artifacts] {
            fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        }
        unpack(&dir.join("seeds").join(name).with_extension("seeds"), &seeds)?;

        let path = env::var_os("PATH").unwrap_or_default();
        let paths = iter::once(cargo_fuzz.clone()).chain(env::split_paths(&path));
        let path = env::join_paths(paths)?;
        let fuzzer = |corpora: &[&Path]| -> Command {
            let mut cargo = process::nightly_cargo();
            cargo.env("PATH", &path).args(["fuzz", "run", "--fuzz-dir"]).arg(&dir);
            cargo.arg("--target-dir").arg(&out).args(features).arg(name).args(corpora).arg("--");
            cargo.arg(format!("-artifact_prefix={}/", artifacts.display()));
            cargo.args(["-timeout=10", "-max_len=2048"]);
            cargo
        };
        say(format_args!("fuzzing {name} for {minutes} minutes"));
        if minutes == 0.0 {
            process::run(fuzzer(&[&seeds]).arg("-runs=0"))?;
            continue;
        }
        let seconds = format!("-max_total_time={}", (minutes * 60.0).round());
        process::run(fuzzer(&[&found, &seeds]).arg(seconds).arg("-print_final_stats=1"))?;

        let minimized = out.join("minimized").join(name);
        empty_dir(&minimized)?;
        process::run(fuzzer(&[&minimized, &found, &seeds]).arg("-merge=1"))?;
        let archive = out.join(name).with_extension("seeds");
        pack(&minimized, &archive)?;
        say(format_args!("the minimized seeds of {name} are in {}", archive.display()));
    }
    Ok(())
}

/// Unpacks an archive of seeds: each seed is its length, as four bytes in little-endian order, and its
/// bytes. Without an archive there are no seeds, and a run begins with nothing.
fn unpack(archive: &Path, dir: &Path) -> Result<()> {
    empty_dir(dir)?;
    if !archive.exists() {
        say(format_args!("there is no {}: the run begins without seeds", archive.display()));
        return Ok(());
    }
    let archived = fs::read(archive).with_context(|| format!("cannot read {}", archive.display()))?;
    let (mut rest, mut number) = (archived.as_slice(), 0);
    while let Some((length, behind)) = rest.split_first_chunk() {
        let Some((seed, behind)) = behind.split_at_checked(u32::from_le_bytes(*length) as usize) else {
            bail!("{} ends inside a seed", archive.display());
        };
        fs::write(dir.join(number.to_string()), seed)?;
        (rest, number) = (behind, number + 1);
    }
    if !rest.is_empty() {
        bail!("{} ends inside a length", archive.display());
    }
    Ok(())
}

/// Packs the files of a directory, in the order of their names.
fn pack(dir: &Path, archive: &Path) -> Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        files.push(entry?.path());
    }
    files.sort();
    let mut archived = Vec::new();
    for file in files {
        let seed = fs::read(file)?;
        archived.extend(u32::try_from(seed.len())?.to_le_bytes());
        archived.extend(seed);
    }
    fs::write(archive, archived).with_context(|| format!("cannot write {}", archive.display()))
}

/// Creates a directory, or removes what is in it.
fn empty_dir(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))
}

/// The directory of the program cargo-fuzz, which is installed below target if it is not there.
fn cargo_fuzz(workspace: &Workspace) -> Result<PathBuf> {
    let root = workspace.target_dir.join("fuzz-tools");
    if !root.join("bin/cargo-fuzz").is_file() {
        let mut cargo = process::cargo();
        cargo.args(["install", "cargo-fuzz", "--version", CARGO_FUZZ, "--locked", "--root"]).arg(&root);
        process::run(&mut cargo)?;
    }
    Ok(root.join("bin"))
}
