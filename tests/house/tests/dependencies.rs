//! The crates that the published libraries depend on.

use std::process::Command;
use uv_handles_house::{files, root};

/// The names of the crates that a package is compiled with, its own among them.
fn crates(package: &str) -> Vec<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--edges", "normal", "--prefix", "none", "--package", package]);
    let output = cargo.current_dir(root()).output().expect("cargo can be started");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree failed: {errors}");
    let tree = String::from_utf8_lossy(&output.stdout);
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn the_host_library_has_no_command_line_no_compiler_and_no_wasi() {
    let crates = crates("uv-handles-host");
    assert!(crates.iter().any(|name| name == "wasmtime"), "{crates:?}");
    // wasmtime's runtime itself uses some of Cranelift's data structures.
    let unwanted = ["clap", "toml", "wasmtime-wasi", "cranelift-codegen", "wasmtime-internal-cranelift"];
    let unwanted: Vec<_> = unwanted.iter().filter(|name| crates.iter().any(|it| it == *name)).collect();
    assert!(unwanted.is_empty(), "uv-handles-host depends on {unwanted:?}");
}

#[test]
fn the_core_depends_on_two_small_crates() {
    let mut crates = crates("uv-handles-core");
    crates.sort();
    assert_eq!(crates, ["bitflags", "slab", "uv-handles-core"]);
}

#[test]
fn the_core_knows_no_clock_no_thread_and_no_system() {
    const UNWANTED: [&str; 9] = ["env", "fs", "io", "net", "os", "process", "sync", "thread", "time"];
    for file in files(&root().join("host/core/src")) {
        for module in UNWANTED {
            let path = format!("std::{module}");
            let used = file.code.match_indices(&path).any(|(at, path)| {
                !file.code[at + path.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
            });
            assert!(!used, "{} uses {path}", file.name);
        }
        // The list above is of paths: this form would hide them.
        assert!(!file.code.contains("use std::{"), "{} imports a list from std", file.name);
    }
}
