//! The end of a life: its kind, and one sentence about the reason.

use super::restart::Ending;
use super::spec::Traces;
use super::text::one_line;
use crate::ctx::interrupt::Interrupted;
use crate::ctx::watch::DeadlineExceeded;

/// The end of a life. The reason is a sentence without its subject and its full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    pub ending: Ending,
    pub reason: String,
}

impl End {
    pub(crate) fn failed(reason: impl Into<String>) -> End {
        End { ending: Ending::Failed, reason: reason.into() }
    }

    /// The component is no plugin, so that another start fails too.
    pub(crate) fn unfit(error: &wasmtime::Error) -> End {
        End { ending: Ending::Unfit, reason: error.to_string() }
    }

    #[cfg(feature = "async")]
    pub(crate) fn finished(reason: impl Into<String>) -> End {
        End { ending: Ending::Finished, reason: reason.into() }
    }

    /// The plugin's own reason why it does not start.
    pub(crate) fn refused(reason: &str) -> End {
        End::failed(format!("its init refused: {}", one_line(reason)))
    }

    /// The grants of a life cannot be made.
    pub(crate) fn not_made(error: &wasmtime::Error) -> End {
        End::failed(one_line(format_args!("{error:#}")))
    }
}

impl Traces {
    /// Describes the error that ended the plugin in its start.
    pub(crate) fn in_init(&self, error: &wasmtime::Error) -> End {
        let End { ending, reason } = self.failure(error);
        End { ending, reason: format!("{reason}, in its init") }
    }

    /// Describes the error that ended the plugin.
    pub(crate) fn failure(&self, error: &wasmtime::Error) -> End {
        #[cfg(feature = "wasi")]
        if let Some(wasmtime_wasi::I32Exit(code)) = error.downcast_ref::<wasmtime_wasi::I32Exit>() {
            let ending = if *code == 0 { Ending::Finished } else { Ending::Failed };
            return End { ending, reason: format!("it exited with status {code}") };
        }
        if error.downcast_ref::<Interrupted>().is_some() {
            return End::failed("it was interrupted");
        }
        match error.downcast_ref() {
            Some(DeadlineExceeded::Call) => {
                return End::failed("one of its calls took longer than its deadline (limits.call)");
            }
            Some(DeadlineExceeded::Callback(limit)) => {
                let seconds = limit.as_secs_f64();
                return End::failed(format!(
                    "one of its callbacks took longer than {seconds} s (limits.callback)"
                ));
            }
            None => {}
        }
        if self.memory.was_refused() {
            let limit = bytes(self.limit);
            return End::failed(format!("it needed more memory than its limit of {limit} (limits.memory)"));
        }
        match (self.output.panic(), error.downcast_ref::<wasmtime::Trap>()) {
            (Some(panic), _) => End::failed(format!("it panicked: {}", one_line(panic))),
            (None, Some(trap)) => End::failed(format!("it trapped: {trap}")),
            (None, None) => End::failed(format!("it failed: {}", one_line(format_args!("{error:#}")))),
        }
    }
}

/// Returns a number of bytes with a unit.
fn bytes(bytes: usize) -> String {
    const UNITS: [(usize, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some(&(unit, name)) if bytes.is_multiple_of(unit) => format!("{} {name}", bytes / unit),
        Some(&(unit, name)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_bytes_has_a_unit() {
        for (number, expected) in
            [(1_023, "1023 bytes"), (1_536, "1.5 KiB"), (4 << 20, "4 MiB"), (3 << 29, "1.5 GiB")]
        {
            assert_eq!(bytes(number), expected);
        }
    }
}
