//! The layers of `uv-handles-host`: imports inside of the library run one way.
//!
//! ```text
//! interfaces, plugin, engine, linker
//!   -> driver
//!     -> ctx, grants, view
//!       -> os
//!         -> uv-handles-core
//! ```

use std::collections::BTreeSet;
use uv_handles_house::{File, Import, files, imports, root};

/// The modules of the library, the lowest layer first. A layer imports itself and those before it.
const LAYERS: [&[&str]; 4] =
    [&["os"], &["ctx", "grants", "view"], &["driver"], &["interfaces", "plugin", "engine", "linker"]];

/// The generated bindings, and the modules that may import them.
const BINDINGS: (&str, [&str; 3]) = ("bindings", ["interfaces", "plugin", "linker"]);

/// Imports that still run back up, from one file to another.
const BACK: [(&str, &str); 3] = [
    ("ctx/builder.rs", "driver/batch.rs"),
    ("ctx/mod.rs", "driver/batch.rs"),
    ("ctx/mod.rs", "driver/mod.rs"),
];

/// Files that still import through the re-exports of lib.rs.
const THROUGH_LIB: [&str; 1] = ["interfaces/async_sender.rs"];

/// Pairs of files that still import each other.
const MUTUAL: [(&str, &str); 5] = [
    ("ctx/builder.rs", "ctx/mod.rs"),
    ("ctx/mod.rs", "driver/batch.rs"),
    ("ctx/mod.rs", "driver/mod.rs"),
    ("driver/batch.rs", "driver/mod.rs"),
    ("grants/async_sender.rs", "grants/mailbox.rs"),
];

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

/// Fails unless exactly the exceptions were found.
fn assert_only<T: Ord + std::fmt::Debug>(rule: &str, found: BTreeSet<T>, exceptions: BTreeSet<T>) {
    let new: Vec<_> = found.difference(&exceptions).collect();
    assert!(new.is_empty(), "{rule}, and these do: {new:#?}");
    let gone: Vec<_> = exceptions.difference(&found).collect();
    assert!(gone.is_empty(), "{rule}. Remove these exceptions, which are not needed any more: {gone:#?}");
}

#[test]
fn imports_run_one_way() {
    let back = imports(&host()).into_iter().filter(|import| !is_allowed(import));
    let exceptions = BACK.map(|(from, to)| Import { from: from.into(), to: to.into() });
    assert_only("no file imports a layer above its own", back.collect(), exceptions.into());
}

#[test]
fn nothing_is_imported_through_the_re_exports_of_lib_rs() {
    let through = imports(&host()).into_iter().filter(|import| import.to == "lib.rs");
    let exceptions = THROUGH_LIB.map(str::to_owned);
    let rule = "no file imports through lib.rs: the module that has the item is named instead";
    assert_only(rule, through.map(|import| import.from).collect(), exceptions.into());
}

#[test]
fn no_two_files_import_each_other() {
    let imports = imports(&host());
    let back = |import: &Import| Import { from: import.to.clone(), to: import.from.clone() };
    let mutual = imports.iter().filter(|import| import.from < import.to && imports.contains(&back(import)));
    let mutual = mutual.map(|import| (import.from.clone(), import.to.clone())).collect();
    let exceptions = MUTUAL.map(|(one, other)| (one.to_owned(), other.to_owned()));
    assert_only("no two files import each other", mutual, exceptions.into());
}

#[test]
fn the_library_is_read() {
    let files = host();
    assert!(files.len() > 30, "{} files", files.len());
    assert!(imports(&files).len() > 80, "{} imports", imports(&files).len());
}
