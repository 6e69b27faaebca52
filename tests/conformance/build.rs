//! Compiles libuv, with the clock and the wait replaced by what the test controls, and a few lines of C
//! that give access to what libuv's headers know and Rust does not.

fn main() {
    println!("cargo:rerun-if-changed=native/shim.c");
    println!("cargo:rerun-if-changed=build.rs");
    uv_handles_libuv::build()
        // What the test controls.
        .define("clock_gettime", "conformance_clock_gettime")
        .define("epoll_pwait", "conformance_epoll_pwait")
        .file("native/shim.c")
        .compile("uv");
}
