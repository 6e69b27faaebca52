//! `cargo xtask package`: checks that each published crate can be packaged on its own, and is complete without this repository.
//!
//! Only what can be built quickly is built from its package: wasmtime would be compiled once more.
//! Of the host, only the difference between the repository and its package is checked: `wit` is a
//! symbolic link here, and must be a directory with the same files there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::process::{self, say};
use crate::workspace::{Package, Workspace};

/// Packages all of them without the network, looks into the packages, and builds what is quick to build.
pub fn run(workspace: &Workspace) -> Result<()> {
    let published: Vec<&Package> = workspace.packages.iter().filter(|package| package.published).collect();
    // Together: they depend on each other, and no registry has them.
    process::run(cargo_package(&published).arg("--no-verify"))?;
    for package in &published {
        check_contents(workspace, package)?;
    }
    let (with_wasmtime, without): (Vec<_>, Vec<_>) =
        published.iter().partition(|package| workspace.uses(package, "wasmtime"));
    process::run(&mut cargo_package(&without))?;
    let names = |packages: &[&Package]| {
        packages.iter().map(|package| package.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    say(format_args!("packaged and built: {}; packaged: {}", names(&without), names(&with_wasmtime)));
    Ok(())
}

/// Its dependencies have been downloaded for the workspace.
fn cargo_package(packages: &[&Package]) -> Command {
    let mut cargo = process::cargo();
    cargo.args(["package", "--offline", "--allow-dirty", "--quiet"]);
    for package in packages {
        cargo.args(["--package", &package.name]);
    }
    cargo
}

/// Unpacks a package outside of the repository and compares its WIT files with the repository's.
fn check_contents(workspace: &Workspace, package: &Package) -> Result<()> {
    let name = format!("{}-{}", package.name, package.version);
    let archive = workspace.target_dir.join("package").join(format!("{name}.crate"));
    let dir = tempfile::tempdir()?;
    process::run(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(dir.path()))?;
    let source = package.manifest.parent().context("a manifest is in a directory")?;
    for wit in ["wit", "wit-wasi", "wit-wasi/deps/wasi-io"] {
        if !source.join(wit).exists() {
            continue;
        }
        let ours = regular_files(&workspace.root.join(wit))?;
        let packaged = regular_files(&dir.path().join(&name).join(wit))
            .with_context(|| format!("{name} does not carry the WIT files"))?;
        ensure!(!ours.is_empty() && packaged == ours, "{name} carries other WIT files than those of {wit}/");
    }
    Ok(())
}

/// The files of a directory, which holds nothing else but dependencies, by name.
fn regular_files(dir: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        if entry.file_name() == "deps" {
            continue;
        }
        // Of the entry itself, not of what a link leads to.
        if !entry.file_type()?.is_file() {
            bail!("{} is no regular file", entry.path().display());
        }
        files.insert(entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path())?);
    }
    Ok(files)
}
