//! The layers of `uv-handles-host`: imports inside of the library run one way.
//!
//! ```text
//! supervisor
//!   -> interfaces, plugin, engine, linker
//!     -> driver
//!       -> ctx, grants, view
//!         -> os
//!           -> uv-handles-core
//! ```

use std::collections::BTreeSet;
use uv_handles_house::{File, Import, files, imports, root};

/// The modules of the library, the lowest layer first. A layer imports itself and those before it.
const LAYERS: [&[&str]; 5] = [
    &["os"],
    &["ctx", "grants", "view"],
    &["driver"],
    &["interfaces", "plugin", "engine", "linker"],
    &["supervisor"],
];

/// The generated bindings, and the modules that may import them.
const BINDINGS: (&str, [&str; 3]) = ("bindings", ["interfaces", "plugin", "linker"]);

fn host() -> Vec<File> {
    files(&root().join("host/wasmtime/src"))
}

fn top(name: &str) -> &str {
    let top = name.split('/').next().unwrap_or_default();
    top.trim_end_matches(".rs")
}

fn layer(name: &str) -> usize {
    let layer = LAYERS.iter().position(|layer| layer.contains(&top(name)));
    layer.unwrap_or_else(|| panic!("{name} is in no layer: add its module to LAYERS"))
}

/// Whether an import runs the right way.
fn is_allowed(import: &Import) -> bool {
    let (bindings, users) = BINDINGS;
    match (top(&import.from), top(&import.to)) {
        ("lib", _) => true,
        // Another test has these.
        (_, "lib") => true,
        (from, to) if to == bindings => users.contains(&from),
        (from, _) if from == bindings => false,
        _ => layer(&import.from) >= layer(&import.to),
    }
}

/// Fails if something breaks a rule.
fn assert_none<T: Ord + std::fmt::Debug>(rule: &str, found: BTreeSet<T>) {
    assert!(found.is_empty(), "{rule}, and these do: {found:#?}");
}

#[test]
fn imports_run_one_way() {
    let back = imports(&host()).into_iter().filter(|import| !is_allowed(import));
    assert_none("no file imports a layer above its own", back.collect());
}

#[test]
fn nothing_is_imported_through_the_re_exports_of_lib_rs() {
    let through = imports(&host()).into_iter().filter(|import| import.to == "lib.rs");
    let rule = "no file imports through lib.rs: the module that has the item is named instead";
    assert_none(rule, through.map(|import| import.from).collect());
}

#[test]
fn no_two_files_import_each_other() {
    let imports = imports(&host());
    let back = |import: &Import| Import { from: import.to.clone(), to: import.from.clone() };
    let mutual = imports.iter().filter(|import| import.from < import.to && imports.contains(&back(import)));
    let mutual = mutual.map(|import| (import.from.clone(), import.to.clone())).collect();
    assert_none("no two files import each other", mutual);
}

#[test]
fn the_library_is_read() {
    let files = host();
    assert!(files.len() > 30, "{} files", files.len());
    assert!(imports(&files).len() > 80, "{} imports", imports(&files).len());
}
