//! Python scripts that connect with peers on loopback.

use crate::process::Process;
use crate::script::PYTHON;
use std::net::SocketAddr;

/// Runs a text with the grants of these options. The script has the addresses as `ADDRESSES`.
pub fn start(options: &[&str], source: &str, args: &[SocketAddr]) -> (Process, tempfile::TempDir) {
    let addresses: Vec<_> = args.iter().map(|address| format!("('127.0.0.1', {})", address.port())).collect();
    let head = format!("import asyncio, socket, sys\nADDRESSES = [{}]\n", addresses.join(", "));
    let (dir, script) = PYTHON.script(head + source);
    (Process::spawn(PYTHON.uv_run_script(options, &script)), dir)
}

/// Runs it to its end. Returns its lines.
///
/// # Panics
///
/// If it fails.
#[track_caller]
pub fn lines(options: &[&str], source: &str, args: &[SocketAddr]) -> Vec<String> {
    let (mut process, _dir) = start(options, source, args);
    let lines = process.stdout.all();
    let code = process.exit_code();
    assert_eq!(code, 0, "{lines:?}\n{}", process.stderr.all().join("\n"));
    lines
}
