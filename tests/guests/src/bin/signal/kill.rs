//! A signal that the process receives, in the poll phase, as often as it is sent one by one.

use uv_handles::{Check, Handle, Loop, Result, RunMode, Signal, Signum};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let signal = Signal::new(&event_loop)?;
    assert_eq!(signal.signum(), Ok(None));
    let mut left = 3;
    signal.start_with(Signum::SIGUSR1, move |signal, signum| {
        assert_eq!(signum, Signum::SIGUSR1);
        assert_eq!(signal.signum(), Ok(Some(Signum::SIGUSR1)));
        println!("{signum}");
        left -= 1;
        if left == 0 {
            signal.close();
        }
    })?;
    assert_eq!(signal.signum(), Ok(Some(Signum::SIGUSR1)));
    let check = Check::new(&event_loop)?;
    check.start_with(|_| println!("check"))?;
    check.dereference()?;
    println!("ready");
    event_loop.run(RunMode::Default)?;
    check.close();
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
