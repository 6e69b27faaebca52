//! Console control events on Windows: Ctrl+C and Ctrl+Break are signals of the guest.
//!
//! An event goes to each process of a console, so this is a program of its own, with its own console.

#![cfg(windows)]

#[path = "../end_to_end/program.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod program;

use program::{Program, uv_run};
use std::io;
use std::os::windows::process::CommandExt;
use std::sync::Once;

/// A process with this flag starts a group. It gets no Ctrl+C, and an event can be sent to its group
/// alone.
const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;

const STD_OUTPUT_HANDLE: u32 = -11i32 as u32;
const STD_ERROR_HANDLE: u32 = -12i32 as u32;

const CTRL_C_EVENT: u32 = 0;
const CTRL_BREAK_EVENT: u32 = 1;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn FreeConsole() -> i32;
    fn AllocConsole() -> i32;
    fn GetStdHandle(stream: u32) -> isize;
    fn SetStdHandle(stream: u32, handle: isize) -> i32;
    fn GenerateConsoleCtrlEvent(event: u32, group: u32) -> i32;
    fn SetConsoleCtrlHandler(handler: Option<unsafe extern "system" fn(u32) -> i32>, add: i32) -> i32;
}

/// Keeps an event from ending the tests.
unsafe extern "system" fn ignore(_: u32) -> i32 {
    1
}

/// Gives the tests a console that they share with no other program.
fn own_console() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: they take nothing, handles that are open, and a function that stays.
        unsafe {
            // A new console takes the place of both outputs.
            let outputs = [STD_OUTPUT_HANDLE, STD_ERROR_HANDLE].map(|stream| (stream, GetStdHandle(stream)));
            // It fails if there is no console.
            FreeConsole();
            assert_ne!(AllocConsole(), 0, "{}", io::Error::last_os_error());
            for (stream, handle) in outputs {
                assert_ne!(SetStdHandle(stream, handle), 0, "{}", io::Error::last_os_error());
            }
            assert_ne!(SetConsoleCtrlHandler(Some(ignore), 1), 0, "{}", io::Error::last_os_error());
        }
    });
}

fn generate(event: u32, group: u32) {
    // SAFETY: it takes numbers only.
    let sent = unsafe { GenerateConsoleCtrlEvent(event, group) };
    assert_ne!(sent, 0, "{}", io::Error::last_os_error());
}

#[test]
fn ctrl_c_is_sigint_for_guests_and_for_wake_ups() {
    own_console();
    let mut wakes = Program::start(&["--wake", "print=int", "--wake", "end"], "uv_run", &["wake_ups"]);
    wakes.line_with("ready");
    let options = ["--stdin", "--signal", "hup,int,term", "--wake", "print"];
    let mut watches = Program::start(&options, "line-stats", &[]);
    watches.line_with("summary: 0 lines");
    // Both share the console.
    generate(CTRL_C_EVENT, 0);
    wakes.line_with("print");
    watches.line_with("final summary: 0 lines");
    watches.ends_with(0);
}

#[test]
fn ctrl_break_sends_an_async_handle() {
    own_console();
    let mut command = uv_run(&["--wake", "print=break", "--wake", "end"], "uv_run");
    command.arg("wake_ups").creation_flags(CREATE_NEW_PROCESS_GROUP);
    let mut program = Program::spawn(command);
    program.line_with("ready");
    for _ in 0..3 {
        generate(CTRL_BREAK_EVENT, program.id());
        program.line_with("print");
    }
}
