//! Asks for the stack that guests run on, where its size is a part of the program.

use std::env;

/// As much as the main thread has on Linux.
const STACK: usize = 8 << 20;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name, value| env::var(name).is_ok_and(|found| found == value);
    if is("CARGO_CFG_TARGET_OS", "windows") {
        let option = match is("CARGO_CFG_TARGET_ENV", "msvc") {
            true => "/STACK:",
            false => "-Wl,--stack,",
        };
        println!("cargo::rustc-link-arg-bins={option}{STACK}");
    }
}
