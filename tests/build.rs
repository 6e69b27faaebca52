//! Lists the test guests: a constant for each case, and for each suite a macro that names its
//! cases, so that a case without a test does not compile.
//!
//! Also links the program `conformance` so that it replaces `epoll_wait`.
//!
//! A suite is a file of `tests/`, or a folder and each of its files: `uv_run`, `uv_run_limits`. A folder of `guests/src/bin` is a program, and each of its files
//! but `main.rs` is a case, whose name begins with the program's. A file of `guests/src/bin` is a
//! program of its own. A case belongs to the suite that its name begins with.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

const GUESTS: &str = "guests/src/bin";

fn main() {
    // The differential test sorts what the OS reports.
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-link-arg-bin=conformance=-Wl,--wrap=epoll_wait");
    }
    println!("cargo::rerun-if-changed={GUESTS}");
    println!("cargo::rerun-if-changed=tests");
    let suites: Vec<String> = entries("tests").iter().flat_map(|path| suites(path)).collect();
    let mut cases_of: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let (mut constants, mut names) = (String::new(), String::new());
    for (name, value) in cases() {
        let suite = suites
            .iter()
            .filter(|suite| name.strip_prefix(*suite).is_some_and(|rest| rest.starts_with('_')))
            .max_by_key(|suite| suite.len())
            .unwrap_or_else(|| panic!("the guest {name} belongs to no file of tests/tests"));
        let constant = name.to_uppercase();
        writeln!(constants, "/// The guest `{name}`.\npub const {constant}: Case = {value};").unwrap();
        write!(names, "({name}) => {{ $crate::{constant} }}; ").unwrap();
        cases_of.entry(suite).or_default().push(name);
    }

    let mut code = constants;
    writeln!(code, "/// The constant of a guest by the guest's name.").unwrap();
    writeln!(code, "#[macro_export]\nmacro_rules! case {{ {names} }}").unwrap();
    for (suite, cases) in cases_of {
        let list: String = cases.iter().map(|case| format!("$mac!({case}); ")).collect();
        writeln!(code, "/// Names each guest of the suite `{suite}` to a macro.").unwrap();
        writeln!(code, "#[macro_export]\nmacro_rules! foreach_{suite} {{ ($mac:ident) => {{ {list} }} }}")
            .unwrap();
    }
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("guests.rs"), code).expect("cargo has made the directory");
}

/// The suites of a file or folder of tests.
fn suites(path: &Path) -> Vec<String> {
    if !path.is_dir() {
        return stem(path).into_iter().collect();
    }
    let folder = path.file_name().expect("it has a name").to_string_lossy().into_owned();
    let files = entries(path.to_str().expect("a plain path"));
    let files = files.iter().filter_map(|path| stem(path)).map(|file| format!("{folder}_{file}"));
    files.chain([folder.clone()]).collect()
}

/// Every guest: its name, and the value of its constant.
fn cases() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for path in entries(GUESTS) {
        if let Some(program) = stem(&path) {
            let value = format!("Case::program(\"{program}\")");
            all.push((program, value));
            continue;
        }
        let program = path.file_name().expect("it has a name").to_string_lossy();
        let dir = path.to_str().expect("a plain path");
        for case in entries(dir).iter().filter_map(|path| stem(path)).filter(|case| case != "main") {
            all.push((format!("{program}_{case}"), format!("Case::new(\"{program}\", \"{case}\")")));
        }
    }
    all
}

/// The contents of a directory, sorted.
fn entries(dir: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{dir}: {error}"));
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the directory can be read").path()).collect();
    paths.sort();
    paths
}

/// The name of a Rust file, without its extension.
fn stem(path: &Path) -> Option<String> {
    let is_rust = path.extension().is_some_and(|extension| extension == "rs");
    is_rust.then(|| path.file_stem().expect("it has a name").to_string_lossy().into_owned())
}
