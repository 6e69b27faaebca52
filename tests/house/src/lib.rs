//! Reads the imports of a crate's source files. The tests in `tests/` hold the rules.

#![forbid(unsafe_code)]

pub mod scan;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A source file of a crate.
#[derive(Debug)]
pub struct File {
    /// Its path below `src`, with `/`.
    pub name: String,
    /// Its module: `["ctx", "builder"]`. Empty for lib.rs.
    pub module: Vec<String>,
    /// Its code, without comments, strings and `#[cfg(test)]` modules.
    pub code: String,
}

/// The source files of a library crate that are not for its unit tests alone.
pub fn files(src: &Path) -> Vec<File> {
    let paths = paths(src, &["rs"]);
    let mut files: Vec<File> = paths.iter().map(|path| File::read(src, path)).collect();
    let tests: BTreeSet<Vec<String>> =
        files.iter().flat_map(|file| scan::test_modules(&file.code, &file.module)).collect();
    files.retain(|file| !tests.iter().any(|module| file.module.starts_with(module)));
    files
}

impl File {
    fn read(src: &Path, path: &Path) -> File {
        let below = path.strip_prefix(src).expect("it is below src");
        let name = below.to_str().expect("names are ASCII").replace('\\', "/");
        let module = name.trim_end_matches(".rs").trim_end_matches("/mod").split('/');
        let module = module.filter(|part| *part != "lib").map(str::to_owned).collect();
        let text = fs::read_to_string(path).expect("sources can be read");
        File { name, module, code: scan::code_of(&text) }
    }
}

/// The files below a directory that have one of these extensions, sorted. Build products and hidden
/// directories are left out.
pub fn paths(dir: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(dir, extensions, &mut found);
    found.sort();
    found
}

fn collect(dir: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("it is a directory") {
        let path = entry.expect("it can be listed").path();
        let name = path.file_name().expect("it has a name").to_string_lossy();
        if path.is_dir() {
            if !["target", "node_modules"].contains(&&*name) && !name.starts_with('.') {
                collect(&path, extensions, found);
            }
        } else if path.extension().is_some_and(|it| extensions.iter().any(|extension| it == *extension)) {
            found.push(path);
        }
    }
}

/// An import of one file by another, by their names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// The file that imports.
    pub from: String,
    /// The file that is imported. `lib.rs` where the path names no module.
    pub to: String,
}

/// All imports between files, each once. Re-exports (`pub use`) are not imports.
pub fn imports(files: &[File]) -> BTreeSet<Import> {
    let mut imports = BTreeSet::new();
    for file in files {
        for path in scan::paths(&file.code, &file.module) {
            // The longest part of the path that is a file's module: the rest are items of it.
            let to = (0..=path.len())
                .rev()
                .find_map(|length| files.iter().find(|file| file.module == path[..length]))
                .expect("every crate has a lib.rs");
            if to.name != file.name {
                imports.insert(Import { from: file.name.clone(), to: to.name.clone() });
            }
        }
    }
    imports
}
