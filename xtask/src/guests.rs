//! Building the guests: every package with `[package.metadata.uv-handles] guest = true`.
//!
//! A guest package's programs are guests by the name of the program, its `cdylib` by the name of the
//! library with `-` for `_`. `target = "wasm32-unknown-unknown"` beside `guest` asks for that target
//! instead of wasm32-wasip2. What leaves the linker is a component in both cases; all are copied into
//! target/guests, where the tests look.
//!
//! Every program among them is composed with the adapter that it needs too, as `uv-compose` does it: target/guests/composed
//! has those that miss nothing then, composed/partial the others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use uv_handles_compose::{Adapter, Composed};

use crate::process::{self, say};
use crate::toolchain::{Target, Toolchain, Way};
use crate::workspace::{Package, Workspace};

/// A guest program or library.
struct Guest {
    /// The file's name in target/guests, without `.wasm`.
    name: String,
    /// The file's name as the compiler writes it.
    artefact: String,
}

/// The guests that are built together.
#[derive(Default)]
struct Batch {
    packages: Vec<String>,
    guests: Vec<Guest>,
}

/// Builds every guest. Returns the directory that they are in.
pub fn build(workspace: &Workspace, forced: Option<Way>) -> Result<PathBuf> {
    let dir = workspace.guests_dir();
    build_some(workspace, forced, "release", |_| true, &dir)?;
    Ok(dir)
}

/// Builds the guests of the packages that are wanted, with this profile of cargo's, into a directory of their own.
pub fn build_some(
    workspace: &Workspace,
    forced: Option<Way>,
    profile: &str,
    wanted: impl Fn(&Package) -> bool,
    dir: &Path,
) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let mut files = Vec::new();
    let mut changed = 0;
    for (target, batch) in batches(workspace, wanted)? {
        let toolchain = Toolchain::ensure(workspace, target, forced)?;
        say(format_args!(
            "building {} for {} ({})",
            counted(batch.guests.len()),
            target.triple(),
            toolchain.describe()
        ));
        let mut cargo = toolchain.cargo_build(profile)?;
        for package in &batch.packages {
            cargo.args(["--package", package]);
        }
        process::run(&mut cargo)?;
        for guest in batch.guests {
            let built = toolchain.artefacts(profile).join(&guest.artefact);
            let component = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
            let file = dir.join(format!("{}.wasm", guest.name));
            ensure!(!files.contains(&file), "two guests are named {}", guest.name);
            changed += usize::from(put(&file, &component)?);
            files.push(file);
        }
    }
    remove_others(dir, &files)?;
    compose_all(dir, &files)?;
    say(format_args!("{} in {}, {changed} of them new", counted(files.len()), dir.display()));
    Ok(())
}

fn counted(guests: usize) -> String {
    format!("{guests} guest{}", if guests == 1 { "" } else { "s" })
}

/// Whether a package is one of guests for the tests. On the machine itself it has nothing to run,
/// whereas an example may have unit tests.
pub fn is_test_guest(workspace: &Workspace, package: &Package) -> bool {
    is_guest(package) && package.manifest.starts_with(workspace.root.join("tests"))
}

fn is_guest(package: &Package) -> bool {
    package.metadata["guest"] == Value::Bool(true)
}

fn batches(workspace: &Workspace, wanted: impl Fn(&Package) -> bool) -> Result<BTreeMap<Target, Batch>> {
    let mut batches = BTreeMap::<Target, Batch>::new();
    for package in workspace.packages.iter().filter(|p| is_guest(p) && wanted(p)) {
        let target = match package.metadata["target"].as_str() {
            None | Some("wasm32-wasip2") => Target::Wasip2,
            Some("wasm32-unknown-unknown") => Target::Unknown,
            Some(other) => bail!("{} has the unknown guest target {other}", package.name),
        };
        let batch = batches.entry(target).or_default();
        batch.packages.push(package.name.clone());
        batch.guests.extend(
            package.bins.iter().map(|bin| Guest { name: bin.clone(), artefact: format!("{bin}.wasm") }),
        );
        batch.guests.extend(package.cdylib.iter().map(|lib| Guest {
            name: lib.replace('_', "-"),
            artefact: format!("{}.wasm", lib.replace('-', "_")),
        }));
    }
    Ok(batches)
}

/// Composes every guest that can be composed, unless that has been done with the very same files, by this
/// program.
fn compose_all(dir: &Path, files: &[PathBuf]) -> Result<()> {
    let (whole, partial) = (dir.join("composed"), dir.join("composed/partial"));
    fs::create_dir_all(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
    let this = std::env::current_exe()?;
    let mut composed = Vec::new();
    for file in files {
        let name = file.file_name().context("a guest has a name")?;
        let places = [whole.join(name), partial.join(name)];
        let adapters = Adapter::ALL.map(|adapter| dir.join(adapter.file_name()));
        let inputs: Vec<_> = adapters.iter().chain([file, &this]).collect();
        if let Some(place) = places.iter().find(|place| inputs.iter().all(|input| newer(place, input))) {
            composed.push(place.clone());
        } else if let Ok(result) = compose(dir, &fs::read(file)?) {
            let [whole, partial] = places;
            let place = if result.lost.is_empty() { whole } else { partial };
            fs::write(&place, result.bytes).with_context(|| format!("cannot write {}", place.display()))?;
            composed.push(place);
        }
    }
    remove_others(&whole, &composed)?;
    remove_others(&partial, &composed)?;
    say(format_args!("{} composed with the adapter", counted(composed.len())));
    Ok(())
}

fn compose(dir: &Path, guest: &[u8]) -> Result<Composed> {
    let adapter = dir.join(Adapter::of(guest)?.file_name());
    uv_handles_compose::compose(guest, &fs::read(adapter)?)
}

/// Whether a file was written after another one.
fn newer(file: &Path, than: &Path) -> bool {
    let modified = |file: &Path| fs::metadata(file).and_then(|metadata| metadata.modified());
    matches!((modified(file), modified(than)), (Ok(file), Ok(than)) if file > than)
}

/// Writes a file unless it has that content already: what is derived from it stays valid. Whoever
/// reads it at the same time sees the old or the new one. Returns whether it was written.
fn put(file: &Path, content: &[u8]) -> Result<bool> {
    if fs::read(file).is_ok_and(|old| old == content) {
        return Ok(false);
    }
    let fresh = file.with_extension("wasm.new");
    fs::write(&fresh, content)
        .and_then(|()| fs::rename(&fresh, file))
        .with_context(|| format!("cannot write {}", file.display()))?;
    Ok(true)
}

/// Removes the components of guests that no longer exist, before a test finds them.
fn remove_others(dir: &Path, files: &[PathBuf]) -> Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "wasm") && !files.contains(&path) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}
