//! Prints the signals that come, until SIGTERM. SIGINT was not granted.

use uv_handles::{Handle, Loop, Result, RunMode, Signal, Signum, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    assert_refused(Signal::new(&event_loop)?.start(Signum::SIGINT), StatusCode::EACCES);
    for signum in [Signum::SIGHUP, Signum::SIGTERM] {
        let signal = Signal::new(&event_loop)?;
        signal.start_with(signum, |signal, signum| {
            println!("{signum}");
            if signum == Signum::SIGTERM {
                signal.event_loop().stop();
            }
        })?;
    }
    println!("ready");
    event_loop.run(RunMode::Default)?;
    Ok(())
}
