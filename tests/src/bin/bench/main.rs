//! The benchmark's sides in the sandbox, on Linux. The module `program` has its documentation.

#[cfg(target_os = "linux")]
#[path = "program.rs"]
mod program;

#[cfg(target_os = "linux")]
fn main() -> wasmtime::Result<()> {
    program::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> std::process::ExitCode {
    uv_handles_tests::linux_alone()
}
