//! Awaits a signal again and again. It stays watched between two waits, whatever the task does
//! there, so its default action never ends the process.

use uv_handles::task::{Executor, signal, sleep};
use uv_handles::{Error, Loop, Result, Signum};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    Executor::new(&event_loop).block_on(async move {
        let mut signals = signal(Signum::SIGUSR1)?;
        println!("ready");
        for n in 1..=100 {
            assert_eq!(signals.recv().await, Signum::SIGUSR1);
            println!("{n}");
            if n % 2 == 0 {
                sleep(1).await?;
            }
        }
        Ok::<_, Error>(())
    })??;
    Ok(())
}
