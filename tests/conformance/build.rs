//! Compiles libuv with a clock and a wait that the test controls, and a few lines of C that give
//! access to internals of libuv's headers.

fn main() {
    println!("cargo:rerun-if-changed=native/shim.c");
    println!("cargo:rerun-if-changed=build.rs");
    uv_handles_libuv::build()
        // The functions that the test controls.
        .define("clock_gettime", "conformance_clock_gettime")
        .define("epoll_pwait", "conformance_epoll_pwait")
        .file("native/shim.c")
        .compile("uv");
}
