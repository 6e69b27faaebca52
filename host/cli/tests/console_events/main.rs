//! Console control events on Windows: Ctrl+C and Ctrl+Break. They go to every process of a console, so
//! this is a program of its own, with one test.

#![cfg(windows)]

#[path = "../end_to_end/program.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod program;

use program::{Program, uv_run};
use std::io;
use std::os::windows::process::CommandExt;

/// Such a group gets no Ctrl+C, and is the only one to get its Ctrl+Break.
const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;

const CTRL_C_EVENT: u32 = 0;
const CTRL_BREAK_EVENT: u32 = 1;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn AllocConsole() -> i32;
    fn GenerateConsoleCtrlEvent(event: u32, group: u32) -> i32;
    fn SetConsoleCtrlHandler(handler: Option<unsafe extern "system" fn(u32) -> i32>, add: i32) -> i32;
}

/// Ends no test.
unsafe extern "system" fn ignore(_: u32) -> i32 {
    1
}

fn generate(event: u32, group: u32) {
    // SAFETY: it takes numbers only.
    let sent = unsafe { GenerateConsoleCtrlEvent(event, group) };
    assert_ne!(sent, 0, "{}", io::Error::last_os_error());
}

#[test]
fn console_events_are_signals() {
    // SAFETY: the first takes nothing, and fails where there is a console; the second gets a function
    // that stays.
    unsafe {
        AllocConsole();
        assert_ne!(SetConsoleCtrlHandler(Some(ignore), 1), 0, "{}", io::Error::last_os_error());
    }

    let mut command = uv_run(&["--wake", "print=break", "--wake", "end"], "uv_run");
    command.arg("wake_ups").creation_flags(CREATE_NEW_PROCESS_GROUP);
    let mut program = Program::spawn(command);
    program.line_with("ready");
    for _ in 0..3 {
        generate(CTRL_BREAK_EVENT, program.id());
        program.line_with("print");
    }
    drop(program);

    let options = ["--stdin", "--signal", "hup,int,term", "--wake", "print"];
    let mut program = Program::start(&options, "line-stats", &[]);
    program.line_with("summary: 0 lines");
    generate(CTRL_C_EVENT, 0);
    program.line_with("final summary: 0 lines");
    program.ends_with(0);
}
