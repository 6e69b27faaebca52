//! Compiles libuv, with the clock and the wait replaced by what the test controls, and a few lines of C
//! that give access to what libuv's headers know and Rust does not.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=native/shim.c");
    println!("cargo:rerun-if-changed=build.rs");
    let libuv = sources().join("libuv");
    let (src, unix) = (libuv.join("src"), libuv.join("src/unix"));
    let mut build = cc::Build::new();
    build
        .include(libuv.join("include"))
        .include(&src)
        .flag("-std=gnu11")
        .flag("-fno-strict-aliasing")
        .warnings(false)
        .define("_GNU_SOURCE", None)
        .define("_FILE_OFFSET_BITS", "64")
        .define("_LARGEFILE_SOURCE", None)
        // What the test controls.
        .define("clock_gettime", "conformance_clock_gettime")
        .define("epoll_pwait", "conformance_epoll_pwait");
    for file in [
        "fs-poll",
        "idna",
        "inet",
        "random",
        "strscpy",
        "strtok",
        "thread-common",
        "threadpool",
        "timer",
        "uv-common",
        "uv-data-getter-setters",
        "version",
    ] {
        build.file(src.join(file).with_extension("c"));
    }
    for file in [
        "async",
        "core",
        "dl",
        "fs",
        "getaddrinfo",
        "getnameinfo",
        "linux",
        "loop",
        "loop-watcher",
        "pipe",
        "poll",
        "procfs-exepath",
        "process",
        "proctitle",
        "random-devurandom",
        "random-getrandom",
        "random-sysctl-linux",
        "signal",
        "stream",
        "tcp",
        "thread",
        "tty",
        "udp",
    ] {
        build.file(unix.join(file).with_extension("c"));
    }
    build.file("native/shim.c").compile("uv");
}

/// Where cargo has put the crate that carries libuv's sources.
fn sources() -> PathBuf {
    let metadata = Command::new(std::env::var_os("CARGO").expect("cargo sets it"))
        .args(["metadata", "--format-version=1", "--locked", "--manifest-path"])
        .arg(Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("Cargo.toml"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&metadata.stderr);
    assert!(metadata.status.success(), "cargo metadata fails: {errors}");
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let libuv = packages.iter().find(|package| package["name"] == "libuv-sys2").expect("it is a dependency");
    let manifest = libuv["manifest_path"].as_str().expect("each package has one");
    Path::new(manifest).parent().expect("it is a file").to_owned()
}
