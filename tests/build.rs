//! Lists the guests for the tests: a constant for the name of each, and for each suite a macro that
//! names its guests, so that a guest without a test does not compile.
//!
//! Also, lets the program `conformance` stand between mio and the OS.
//!
//! A suite is a file of `tests/`; a guest belongs to the suite whose name its own name begins with.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() {
    // The differential test sorts what mio gets from the OS.
    println!("cargo::rustc-link-arg-bin=conformance=-Wl,--wrap=epoll_wait");
    let guests = stems("guests/src/bin");
    let mut suites: BTreeMap<String, Vec<String>> =
        stems("tests").into_iter().map(|suite| (suite, Vec::new())).collect();
    for guest in guests {
        let suite = suites
            .keys()
            .filter(|suite| guest.strip_prefix(*suite).is_some_and(|rest| rest.starts_with('_')))
            .max_by_key(|suite| suite.len())
            .unwrap_or_else(|| panic!("the guest {guest} belongs to no file of tests/tests"))
            .clone();
        suites.get_mut(&suite).expect("it is one of the keys").push(guest);
    }

    let mut code = String::new();
    for (suite, guests) in suites.iter().filter(|(_, guests)| !guests.is_empty()) {
        for guest in guests {
            let constant = guest.to_uppercase();
            writeln!(code, "/// The guest `{guest}`.\npub const {constant}: &str = \"{guest}\";").unwrap();
        }
        let list: String = guests.iter().map(|guest| format!("$mac!({guest}); ")).collect();
        writeln!(code, "/// Names each guest of the suite `{suite}` to a macro.").unwrap();
        writeln!(code, "#[macro_export]\nmacro_rules! foreach_{suite} {{ ($mac:ident) => {{ {list} }} }}")
            .unwrap();
    }
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("guests.rs"), code).expect("cargo has made the directory");
}

/// The names of a directory's Rust files, sorted.
fn stems(dir: &str) -> Vec<String> {
    println!("cargo::rerun-if-changed={dir}");
    let entries = fs::read_dir(dir).unwrap_or_else(|error| panic!("{dir}: {error}"));
    let mut stems: Vec<String> = entries
        .map(|entry| entry.expect("the directory can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.file_stem().expect("it has a name").to_string_lossy().into_owned())
        .collect();
    stems.sort();
    stems
}
