//! Signals that were not granted, and those that no guest can watch.

use uv_handles::{Handle, Loop, Result, RunMode, Signal, Signum, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let signal = Signal::new(&event_loop)?;
    // Granted or not: all of these were.
    for number in [0, -1, 65, i32::MAX, i32::MIN, 9, 19, 4, 5, 6, 7, 8, 11, 32, 33] {
        assert_refused(signal.start(Signum::new(number)), StatusCode::EINVAL);
        assert_refused(signal.start_oneshot(Signum::new(number)), StatusCode::EINVAL);
    }
    for signum in [Signum::SIGHUP, Signum::SIGINT, Signum::SIGTERM, Signum::new(64)] {
        assert_refused(signal.start(signum), StatusCode::EACCES);
        assert_refused(signal.start_oneshot(signum), StatusCode::EACCES);
    }
    assert!(!signal.is_active() && !event_loop.is_alive());

    // A handle that watches another signal is stopped first, and stays stopped if this is refused.
    // 0 changes nothing.
    signal.start(Signum::SIGCONT)?;
    assert_refused(signal.start(Signum::new(0)), StatusCode::EINVAL);
    assert_eq!(signal.signum(), Ok(Some(Signum::SIGCONT)));
    assert_refused(signal.start(Signum::SIGHUP), StatusCode::EACCES);
    assert_eq!(signal.signum(), Ok(None));
    signal.start(Signum::SIGCONT)?;
    assert_refused(signal.start(Signum::SIGKILL), StatusCode::EINVAL);
    assert!(!signal.is_active());
    signal.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
