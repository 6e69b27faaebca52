//! The end of a run: the message and the exit code.

use crate::guest::Guest;
use crate::output::{StdoutClosed, say};
use crate::shown;
use crate::timeout::Timeout;
use crate::{STDOUT_CLOSED, TIMED_OUT};
use std::process::ExitCode;
use uv_handles_host::Interrupted;
use wasmtime::{Error, Store, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

/// Reports a guest's error, and returns the exit code.
pub fn report(error: &Error, store: &Store<Guest>, timeout: Option<&Timeout>) -> ExitCode {
    if let Some(I32Exit(code)) = error.downcast_ref() {
        return ExitCode::from(u8::try_from(*code).unwrap_or(1));
    }
    if error.is::<StdoutClosed>() {
        return ExitCode::from(STDOUT_CLOSED);
    }
    let interrupted = error.is::<Interrupted>() || matches!(error.downcast_ref(), Some(Trap::Interrupt));
    if let Some(timeout) = timeout.filter(|timeout| interrupted && timeout.has_passed()) {
        timeout.tell();
        return ExitCode::from(TIMED_OUT);
    }
    say(format!("the guest trapped: {}", sentence(error)));
    if store.data().memory.usage().was_refused() {
        say("it had asked for more memory than --max-memory allows");
    }
    if let Some(trace) = error.downcast_ref::<WasmBacktrace>().filter(|trace| !trace.frames().is_empty()) {
        // The component chose the names. The first line is wasmtime's own headline.
        let lines = shown::lines(trace);
        say(format!(
            "the guest's calls, the last one first:\n{}",
            lines.get(1..).unwrap_or_default().join("\n")
        ));
    }
    ExitCode::FAILURE
}

/// A description of the error in plain words.
fn sentence(error: &Error) -> String {
    let Some(trap) = error.downcast_ref::<Trap>() else {
        let lines = shown::lines(error.root_cause());
        return lines.into_iter().next().unwrap_or_else(|| "for no reason".into());
    };
    match trap {
        Trap::UnreachableCodeReached => {
            "it aborted (it reached an `unreachable` instruction, as after a panic)".into()
        }
        Trap::StackOverflow => "its calls are nested too deeply for its stack".into(),
        Trap::MemoryOutOfBounds => "it used an address outside of its memory".into(),
        Trap::IntegerDivisionByZero => "it divided by zero".into(),
        Trap::IntegerOverflow => "the result of a division does not fit its type".into(),
        Trap::BadConversionToInteger => "it converted a number to a type that it does not fit".into(),
        Trap::IndirectCallToNull | Trap::TableOutOfBounds => {
            "it called a function through a pointer that leads to none".into()
        }
        Trap::BadSignature => "it called a function through a pointer of another type".into(),
        other => other.to_string().trim_start_matches("wasm trap: ").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trap_is_a_plain_sentence() {
        assert_eq!(sentence(&Trap::IntegerDivisionByZero.into()), "it divided by zero");
        assert_eq!(sentence(&Trap::HeapMisaligned.into()), "unaligned atomic");
        let error = Error::msg("unknown handle index 7\nmore").context("somewhere");
        assert_eq!(sentence(&error), "unknown handle index 7");
        assert!(sentence(&Error::msg("a".repeat(1 << 20))).len() < 1_000);
    }
}
