//! Compiles libuv in a build script, for the differential test and for the benchmark.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The files of `src` that are compiled.
const SRC: [&str; 12] = [
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
];

/// The files of `src/unix` that are compiled.
const UNIX: [&str; 23] = [
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
];

/// A configured build of libuv for Linux; the caller adds its own files and compiles.
///
/// # Panics
///
/// If cargo does not know the location of the sources.
pub fn build() -> cc::Build {
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
        .files(SRC.map(|file| src.join(file).with_extension("c")))
        .files(UNIX.map(|file| unix.join(file).with_extension("c")));
    build
}

/// The directory of the crate that carries libuv's sources.
fn sources() -> PathBuf {
    let metadata = Command::new(std::env::var_os("CARGO").expect("cargo sets it"))
        .args(["metadata", "--format-version=1", "--locked", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
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
