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

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(found: &Found) -> &str {
        found.parts.as_ref().unwrap_err()
    }

    #[test]
    fn each_manifest_is_a_plugin_and_what_misses_its_other_half_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let write = |file: &str, content: &str| fs::write(dir.path().join(file), content).unwrap();
        for (file, content) in [
            ("good.toml", ""),
            ("good.wasm", "1"),
            ("twin.toml", "component = 'good.wasm'"),
            ("lonely.wasm", "2"),
            ("empty.toml", ""),
            ("no name.toml", ""),
            (".good.toml.swp", ""),
            (".hidden.toml", ""),
            ("README.md", ""),
        ] {
            write(file, content);
        }
        let found = scan(dir.path()).unwrap();
        assert_eq!(found.keys().collect::<Vec<_>>(), ["empty", "good", "lonely", "no name", "twin"]);
        assert_eq!(found["good"].parts.as_ref().unwrap().bytes, b"1");
        assert_eq!(found["twin"].parts.as_ref().unwrap().bytes, b"1");
        assert!(problem(&found["lonely"]).starts_with("lonely.wasm has no manifest"));
        assert!(problem(&found["empty"]).starts_with("empty.wasm cannot be read: No such file"));
        assert!(problem(&found["no name"]).starts_with("no name is no name for a plugin"));

        let again = scan(dir.path()).unwrap();
        let same = |name: &str| again[name].fingerprint == found[name].fingerprint;
        assert!(found.keys().all(|name| same(name)));
        write("good.wasm", "3");
        let changed = scan(dir.path()).unwrap();
        assert_ne!(changed["good"].fingerprint, found["good"].fingerprint);
        assert_ne!(changed["twin"].fingerprint, found["twin"].fingerprint);
        assert_eq!(changed["empty"].fingerprint, found["empty"].fingerprint);
        assert!(scan(&dir.path().join("none")).unwrap_err().contains("cannot be read: No such file"));
    }
}
