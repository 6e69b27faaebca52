//! Signals to the process.

use crate::program::Program;
use std::process::Command;

fn kill(program: &Program, signal: &str) {
    let number = program.id().to_string();
    let sent = Command::new("sh").args(["-c", &format!("kill -{signal} {number}")]).status().unwrap();
    assert!(sent.success(), "{sent}");
}

#[test]
fn a_signal_sends_an_async_handle() {
    let options = ["--wake", "print=usr1", "--wake", "end=usr2"];
    let mut program = Program::start(&options, "uv_run", &["wake_ups"]);
    program.line_with("ready");
    for _ in 0..3 {
        kill(&program, "USR1");
        program.line_with("print");
    }
    kill(&program, "USR2");
    assert_eq!(program.ends_with(0), ["end"]);
}

#[test]
fn a_guest_watches_signals() {
    let mut program = Program::start(&["--signal", "hup,term"], "uv_run", &["signal"]);
    program.line_with("ready");
    for _ in 0..2 {
        kill(&program, "HUP");
        program.line_with("SIGHUP");
    }
    kill(&program, "TERM");
    assert_eq!(program.ends_with(0), ["SIGTERM"]);
}
