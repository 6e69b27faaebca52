//! Scans the plugins' directory: a manifest and a component for each name, and whether they have
//! changed.

use crate::manifest::Manifest;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::{fs, io};

/// A plugin in the directory.
#[derive(Debug)]
pub struct Found {
    /// The same while manifest and component are the same.
    pub fingerprint: u64,
    /// Its parts, or the sentence that says why it cannot be started.
    pub parts: Result<Parts, String>,
}

/// The parts of a plugin.
#[derive(Debug)]
pub struct Parts {
    pub manifest: Manifest,
    /// The component's file, as the manifest names it.
    pub component: String,
    pub bytes: Vec<u8>,
}

/// Reads the directory.
pub fn scan(directory: &Path) -> Result<BTreeMap<String, Found>, String> {
    let refused = |error: io::Error| format!("the directory {} cannot be read: {error}", directory.display());
    let (mut manifests, mut components) = (BTreeSet::new(), BTreeSet::new());
    for entry in fs::read_dir(directory).map_err(refused)? {
        let file = entry.map_err(refused)?.file_name();
        // A name that is no UTF-8 is shown as well as it can be, and refused below.
        let file = file.to_string_lossy();
        match file.rsplit_once('.') {
            // Hidden files are an editor's, or half-written.
            Some(("", _)) => {}
            _ if file.starts_with('.') => {}
            Some((name, "toml")) => drop(manifests.insert(name.to_owned())),
            Some((name, "wasm")) => drop(components.insert(name.to_owned())),
            _ => {}
        }
    }
    let mut found: BTreeMap<String, Found> =
        manifests.iter().map(|name| (name.clone(), read(directory, name))).collect();
    for name in &components {
        let file = format!("{name}.wasm");
        let used = |found: &Found| match &found.parts {
            Ok(parts) => parts.component == file,
            // It may be the one whose manifest cannot be read.
            Err(_) => false,
        };
        if !manifests.contains(name) && !found.values().any(used) {
            let parts = Err(format!("{file} has no manifest: write {name}.toml, which may be empty"));
            found.insert(name.clone(), Found { fingerprint: 0, parts });
        }
    }
    Ok(found)
}

fn read(directory: &Path, name: &str) -> Found {
    let mut hash = DefaultHasher::new();
    let parts = parts(directory, name, &mut hash);
    if let Err(problem) = &parts {
        problem.hash(&mut hash);
    }
    Found { fingerprint: hash.finish(), parts }
}

fn parts(directory: &Path, name: &str, hash: &mut DefaultHasher) -> Result<Parts, String> {
    if !is_name(name) {
        return Err(format!(
            "{} is no name for a plugin: it has to be of ASCII letters, digits, - and _, at most 64",
            name.escape_debug()
        ));
    }
    let file = format!("{name}.toml");
    let read = |file: &str, hash: &mut DefaultHasher| {
        let bytes =
            fs::read(directory.join(file)).map_err(|error| format!("{file} cannot be read: {error}"))?;
        bytes.hash(hash);
        Ok::<_, String>(bytes)
    };
    let manifest = Manifest::parse(&file, &read(&file, hash)?)?;
    let component = manifest.component.clone().unwrap_or_else(|| format!("{name}.wasm"));
    let bytes = read(&component, hash)?;
    Ok(Parts { manifest, component, bytes })
}

/// Names are parts of addresses and of metrics.
fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=64).contains(&name.len()) && name.chars().all(good)
}
