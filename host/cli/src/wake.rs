//! Triggers a guest's async handles when a signal to uv-run arrives.

use crate::os::signal_set::SignalSet;
use crate::output::say;
use crate::shared::signals;
use crate::shared::text::quoted;
use std::io;
use uv_handles_host::AsyncSender;

/// Starts to trigger async handles when their signals arrive, until the process ends.
pub fn by_signals(set: SignalSet, wakes: Vec<(i32, AsyncSender)>) -> io::Result<()> {
    std::thread::Builder::new().name("uv-run signals".into()).spawn(move || {
        loop {
            let arrived = set.next();
            for (_, sender) in wakes.iter().filter(|(signum, _)| *signum == arrived) {
                if let Err(error) = sender.send() {
                    let (signal, name) = (signals::name(arrived), quoted(sender.name()));
                    say(format!("the signal {signal} did not send {name}: {error}"));
                }
            }
        }
    })?;
    Ok(())
}
