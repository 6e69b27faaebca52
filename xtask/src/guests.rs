//! Building the guests: every package with `[package.metadata.uv-handles] guest = true`.
//!
//! A guest package's programs are guests by the name of the program, its `cdylib` by the name of
//! the library with `-` for `_`. `target = "wasm32-unknown-unknown"` beside `guest` asks for that
//! target instead of wasm32-wasip2. The linker makes a component in both cases. All are copied into
//! target/guests, where the tests find them.
//!
//! `uv-compose` composes each of them that can be composed with the adapter that it needs:
//! target/guests/composed has those that miss nothing then, composed/partial the others.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::process::{self, say};
use crate::profile::Profile;
use crate::toolchain::{Target, Toolchain, Way};
use crate::uv_run;
use crate::workspace::{Package, Workspace};

/// A guest program or library.
struct Guest {
    /// The file's name in target/guests, without `.wasm`.
    name: String,
    /// The file's name as the compiler writes it.
    artifact: String,
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
    build_some(workspace, forced, Profile::Quick, |_| true, &dir)?;
    Ok(dir)
}

/// Builds one guest, the program of the package of the same name, and composes nothing. Returns its
/// file.
pub fn build_one(workspace: &Workspace, forced: Option<Way>, name: &str) -> Result<PathBuf> {
    let toolchain = Toolchain::ensure(workspace, Target::Wasip2, forced)?;
    say(format_args!("building {name} for {} ({})", Target::Wasip2.triple(), toolchain.describe()));
    process::run(toolchain.cargo_build(Profile::Quick)?.args(["--package", name]))?;
    let built = toolchain.artifacts(Profile::Quick).join(format!("{name}.wasm"));
    let component = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
    let dir = workspace.guests_dir();
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let file = dir.join(format!("{name}.wasm"));
    put(&file, &component)?;
    Ok(file)
}

/// Builds the guests of the packages that are wanted in this profile, into a directory of their own.
pub fn build_some(
    workspace: &Workspace,
    forced: Option<Way>,
    profile: Profile,
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
            let built = toolchain.artifacts(profile).join(&guest.artifact);
            let component = fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
            let file = dir.join(format!("{}.wasm", guest.name));
            ensure!(!files.contains(&file), "two guests are named {}", guest.name);
            changed += usize::from(put(&file, &component)?);
            files.push(file);
        }
    }
    remove_others(dir, &files)?;
    compose_all(workspace, profile, dir, &files)?;
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
            package.bins.iter().map(|bin| Guest { name: bin.clone(), artifact: format!("{bin}.wasm") }),
        );
        batch.guests.extend(package.cdylib.iter().map(|lib| Guest {
            name: lib.replace('_', "-"),
            artifact: format!("{}.wasm", lib.replace('-', "_")),
        }));
    }
    Ok(batches)
}

/// Composes every guest that can be composed, unless that has been done with the very same files, by
/// the same `uv-compose`.
fn compose_all(workspace: &Workspace, profile: Profile, dir: &Path, files: &[PathBuf]) -> Result<()> {
    let (whole, partial) = (dir.join("composed"), dir.join("composed/partial"));
    fs::create_dir_all(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
    let uv_compose = uv_run::build_compose(workspace, profile)?;
    let is_adapter =
        |file: &&PathBuf| file.file_name().is_some_and(|name| ADAPTERS.iter().any(|a| name == *a));
    let adapters: Vec<&PathBuf> = files.iter().filter(is_adapter).collect();
    let fresh = whole.join("composed.wasm.new");
    let mut composed = Vec::new();
    for file in files {
        let name = file.file_name().context("a guest has a name")?;
        let places = [whole.join(name), partial.join(name)];
        let inputs: Vec<_> = adapters.iter().copied().chain([file, &uv_compose]).collect();
        if let Some(place) = places.iter().find(|place| inputs.iter().all(|input| newer(place, input))) {
            composed.push(place.clone());
        } else if let Some(is_whole) = compose(&uv_compose, file, &fresh, dir)? {
            let [whole, partial] = places;
            let place = if is_whole { whole } else { partial };
            fs::rename(&fresh, &place).with_context(|| format!("cannot write {}", place.display()))?;
            composed.push(place);
        }
    }
    remove_others(&whole, &composed)?;
    remove_others(&partial, &composed)?;
    say(format_args!("{} composed with the adapter", counted(composed.len())));
    Ok(())
}

/// The adapters, which are built like guests.
const ADAPTERS: [&str; 2] = ["uv-handles-adapter.wasm", "uv-handles-adapter-descriptors.wasm"];

/// Composes a guest with one of the adapters of a directory. Returns whether it misses nothing then,
/// or `None` if it cannot be composed.
fn compose(uv_compose: &Path, guest: &Path, output: &Path, adapters: &Path) -> Result<Option<bool>> {
    let mut command = Command::new(uv_compose);
    command.arg(guest).arg("--output").arg(output).arg("--adapter").arg(adapters);
    let ended = command.output().with_context(|| format!("cannot start `{}`", process::shown(&command)))?;
    // It warns of imports that the adapter does not have.
    Ok(ended.status.success().then_some(ended.stderr.is_empty()))
}

/// Whether a file was written after another one.
fn newer(file: &Path, than: &Path) -> bool {
    let modified = |file: &Path| fs::metadata(file).and_then(|metadata| metadata.modified());
    matches!((modified(file), modified(than)), (Ok(file), Ok(than)) if file > than)
}

/// Writes a file unless it has that content already: files that are derived from it stay valid.
/// Concurrent readers see the old or the new file. Returns whether it was written.
pub fn put(file: &Path, content: &[u8]) -> Result<bool> {
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
