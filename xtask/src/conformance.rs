//! `cargo xtask conformance`: the differential test against native libuv, and the test of that test with faults.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::guests;
use crate::process;
use crate::profile::Profile;
use crate::python;
use crate::toolchain::Way;
use crate::uv_run;
use crate::workspace::Workspace;

/// Programs that ever differed are kept here, and compared first.
const PROGRAMS: &str = "tests/conformance/programs";
/// Each file is one fault.
const FAULTS: &str = "tests/conformance/faults";
/// The number of programs within which a fault must be found.
const PROGRAMS_PER_FAULT: &str = "2000";

/// Builds the guest, or the Python runtime too, and the comparing program, and runs it with these arguments.
pub fn run(workspace: &Workspace, forced: Option<Way>, args: &[String]) -> Result<()> {
    let guests_dir = guests::build(workspace, forced)?;
    let is_python = args.iter().any(|arg| arg == "--python");
    let runtime = is_python.then(|| python::build(workspace)).transpose()?;
    let mut conformance = Command::new(uv_run::build_program(workspace, Profile::Quick, "conformance")?);
    conformance.arg("--replay").arg(workspace.root.join(PROGRAMS)).args(args);
    if let Some(runtime) = runtime {
        conformance.env("UV_HANDLES_PYTHON", runtime);
    }
    process::run(conformance.env("UV_HANDLES_GUESTS", guests_dir))
}

/// Puts each fault into a copy of the core, and compares the copy with libuv: the test must find
/// the fault.
pub fn find_faults(workspace: &Workspace) -> Result<()> {
    let copy = Copy::new(workspace)?;
    let mut missed = Vec::new();
    for fault in faults(&workspace.root)? {
        copy.put_in(&workspace.root, &fault)?;
        match copy.differing()? {
            0 => missed.push(fault.name.clone()),
            differing => println!("{}: {differing} of {PROGRAMS_PER_FAULT} programs differ", fault.name),
        }
    }
    ensure!(missed.is_empty(), "not found within {PROGRAMS_PER_FAULT} programs: {}", missed.join(", "));
    Ok(())
}

/// A fault and how it is put into the core.
struct Fault {
    name: String,
    patch: String,
}

impl Fault {
    /// The files that it changes, with their new text.
    fn applied(&self, root: &Path) -> Result<Vec<(PathBuf, String)>> {
        files_of(&self.patch)
            .map(|part| {
                let patch = diffy::Patch::from_str(part)?;
                let file = PathBuf::from(patch.original().context("a part names no file")?);
                let text = fs::read_to_string(root.join(&file))?;
                let applied = diffy::apply(&text, &patch)
                    .with_context(|| format!("{} has changed: write the fault anew", file.display()))?;
                Ok((file, applied))
            })
            .collect::<Result<_>>()
            .with_context(|| format!("the fault {} cannot be put into the core", self.name))
    }
}

/// The parts of a patch, one for each file.
fn files_of(patch: &str) -> impl Iterator<Item = &str> {
    let begins = patch.match_indices("--- ").map(|(at, _)| at);
    let begins: Vec<usize> = begins.filter(|&at| at == 0 || patch[..at].ends_with('\n')).collect();
    let ends = begins.iter().skip(1).copied().chain([patch.len()]).collect::<Vec<_>>();
    begins.into_iter().zip(ends).map(|(begin, end)| &patch[begin..end])
}

fn faults(root: &Path) -> Result<Vec<Fault>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(root.join(FAULTS))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    let fault = |file: PathBuf| {
        let name = file.file_stem().context("a file has a name")?.to_string_lossy().into_owned();
        Ok(Fault { name, patch: fs::read_to_string(&file)? })
    };
    files.into_iter().map(fault).collect()
}

/// A workspace with copies of the packages that compare libuv with the core.
struct Copy {
    root: PathBuf,
    target: PathBuf,
}

const COPIED: [&str; 4] = ["host/core", "tests/conformance", "tests/conformance/program", "tests/libuv"];

impl Copy {
    fn new(workspace: &Workspace) -> Result<Copy> {
        let root = workspace.target_dir.join("faults/workspace");
        if root.exists() {
            fs::remove_dir_all(&root)?;
        }
        for member in COPIED {
            copy_dir(&workspace.root.join(member), &root.join(member))?;
        }
        fs::copy(workspace.root.join("Cargo.lock"), root.join("Cargo.lock"))?;
        let manifest = fs::read_to_string(workspace.root.join("Cargo.toml"))?;
        let (_, rest) = manifest.split_once("\n]\n").context("the workspace has members")?;
        let members = COPIED.map(|member| format!("\"{member}\"")).join(", ");
        fs::write(
            root.join("Cargo.toml"),
            format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n{rest}"),
        )?;
        Ok(Copy { root, target: workspace.target_dir.join("faults/target") })
    }

    /// Puts the fault into the copy, which has no other one then.
    fn put_in(&self, original: &Path, fault: &Fault) -> Result<()> {
        copy_dir(&original.join("host/core/src"), &self.root.join("host/core/src"))?;
        for (file, text) in fault.applied(original)? {
            fs::write(self.root.join(file), text)?;
        }
        Ok(())
    }

    /// Returns the number of programs that differ.
    fn differing(&self) -> Result<u64> {
        let mut cargo = process::cargo();
        cargo.args(["build", "--quiet", "--package", "uv-handles-conformance"]);
        process::run(cargo.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target))?;
        let mut conformance = Command::new(self.target.join("debug/conformance-core"));
        conformance.args(["--programs", PROGRAMS_PER_FAULT, "--seed", "1", "--count"]);
        let output = conformance.output().context("cannot start conformance-core")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        match last.rsplit_once("differing: ") {
            Some((_, differing)) => Ok(differing.trim().parse()?),
            None => bail!("conformance-core ended with {}: {last}", output.status),
        }
    }
}

/// Copies a directory's files; those that are equal already stay as they are, so that they are not
/// compiled again.
fn copy_dir(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_dir(&from, &to)?;
        } else if fs::read(&from)? != fs::read(&to).unwrap_or_default() {
            fs::write(&to, fs::read(&from)?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_can_still_be_put_into_the_core() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let faults = faults(root).unwrap();
        assert!(faults.len() >= 8);
        for fault in faults {
            assert!(!fault.applied(root).unwrap().is_empty(), "{}", fault.name);
        }
    }
}
