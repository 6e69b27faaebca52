//! The cargo workspace, as `cargo metadata` describes it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::os::Os;
use crate::process;

/// The cargo workspace.
pub struct Workspace {
    /// The directory of the workspace's Cargo.toml.
    pub root: PathBuf,
    /// cargo's target directory, `target` unless the user has set another.
    pub target_dir: PathBuf,
    /// The members.
    pub packages: Vec<Package>,
    /// Whether system packages that are missing may be installed.
    pub installs: bool,
    /// The implementation of the host's OS layer that programs are built with.
    pub os: Os,
}

/// A member of the workspace.
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it may be published.
    pub published: bool,
    /// The path of its Cargo.toml.
    pub manifest: PathBuf,
    /// `[package.metadata.uv-handles]`, or null.
    pub metadata: Value,
    /// The names of the crates that it depends on, also for tests only.
    pub dependencies: Vec<String>,
    /// The names of its programs.
    pub bins: Vec<String>,
    /// The name of its library, if that is a `cdylib`.
    pub cdylib: Option<String>,
}

impl Workspace {
    /// Asks cargo.
    pub fn load(installs: bool, os: Os) -> Result<Self> {
        let mut command = process::cargo();
        command.args(["metadata", "--no-deps", "--format-version=1"]);
        let json = process::output(&mut command)?;
        Self::parse(&json, installs, os).context("cannot read what `cargo metadata` printed")
    }

    fn parse(json: &str, installs: bool, os: Os) -> Result<Self> {
        let metadata: Value = serde_json::from_str(json)?;
        Ok(Workspace {
            root: string(&metadata["workspace_root"])?.into(),
            target_dir: string(&metadata["target_directory"])?.into(),
            packages: array(&metadata["packages"])?.iter().map(Package::parse).collect::<Result<_>>()?,
            installs,
            os,
        })
    }

    /// Whether a member uses a crate, by itself or through other members.
    pub fn uses(&self, package: &Package, name: &str) -> bool {
        let mut reached = vec![package];
        // Members may use each other in a circle, for their tests.
        let mut next = 0;
        while let Some(package) = reached.get(next).copied() {
            next += 1;
            if package.dependencies.iter().any(|dependency| dependency == name) {
                return true;
            }
            for member in &self.packages {
                let known = reached.iter().any(|p| p.name == member.name);
                if !known && package.dependencies.contains(&member.name) {
                    reached.push(member);
                }
            }
        }
        false
    }

    /// The members that use wasmtime. They are always built together: with other features somewhere below it,
    /// wasmtime would be compiled once more.
    pub fn with_wasmtime(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.uses(package, "wasmtime"))
    }

    /// Where the guests' components are put.
    pub fn guests_dir(&self) -> PathBuf {
        self.target_dir.join("guests")
    }
}

impl Package {
    fn parse(package: &Value) -> Result<Self> {
        let mut bins = Vec::new();
        let mut cdylib = None;
        for target in array(&package["targets"])? {
            let name = string(&target["name"])?;
            for kind in array(&target["kind"])? {
                match string(kind)?.as_str() {
                    "bin" => bins.push(name.clone()),
                    "cdylib" => cdylib = Some(name.clone()),
                    _ => {}
                }
            }
        }
        Ok(Package {
            name: string(&package["name"])?,
            version: string(&package["version"])?,
            // Otherwise it is the list of the registries that it may go to.
            published: package["publish"].is_null(),
            manifest: string(&package["manifest_path"])?.into(),
            metadata: package["metadata"]["uv-handles"].clone(),
            dependencies: array(&package["dependencies"])?
                .iter()
                .map(|dependency| string(&dependency["name"]))
                .collect::<Result<_>>()?,
            bins,
            cdylib,
        })
    }
}

fn string(value: &Value) -> Result<String> {
    let text = value.as_str().context("a string is missing")?;
    Ok(text.to_owned())
}

fn array(value: &Value) -> Result<&Vec<Value>> {
    value.as_array().context("a list is missing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_member_uses_is_found_through_other_members() {
        let package = |name: &str, dependencies: &[&str]| Package {
            name: name.to_owned(),
            version: String::new(),
            published: false,
            manifest: PathBuf::new(),
            metadata: Value::Null,
            dependencies: dependencies.iter().map(|d| (*d).to_owned()).collect(),
            bins: Vec::new(),
            cdylib: None,
        };
        let workspace = Workspace {
            root: PathBuf::new(),
            target_dir: PathBuf::new(),
            packages: vec![
                package("core", &["tests"]),
                package("host", &["core", "wasmtime"]),
                package("tests", &["core", "host"]),
                package("sdk", &["wit-bindgen"]),
            ],
            installs: false,
            os: Os::Native,
        };
        let users: Vec<&str> = workspace.with_wasmtime().map(|p| p.name.as_str()).collect();
        assert_eq!(users, ["core", "host", "tests"]);
    }
}
