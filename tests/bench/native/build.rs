//! Compiles libuv unchanged and optimized, and the benchmark's work for it in C. In the program for
//! virtual time, the functions that libuv calls to read the time and to wait are replaced at link
//! time.

fn main() {
    println!("cargo::rerun-if-changed=c");
    println!("cargo::rerun-if-changed=build.rs");
    uv_handles_libuv::build()
        .opt_level(3)
        // As in libuv's own release build, assertions are off.
        .define("NDEBUG", None)
        .include("c")
        .files(["echo", "polls", "timers", "wakes", "watchers"].map(|file| format!("c/{file}.c")))
        .compile("uv");
    for function in ["clock_gettime", "epoll_pwait"] {
        println!("cargo::rustc-link-arg-bin=bench-libuv-virtual=-Wl,--wrap={function}");
    }
}
