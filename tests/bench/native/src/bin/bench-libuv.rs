//! The side of native libuv, in real time.

fn main() {
    uv_handles_bench_native::run();
}
