//! Deliveries of a signal as a stream: counted, also while no task waits.

use futures_util::StreamExt;
use uv_handles::task::{Executor, Signals, WakeUps, signal};
use uv_handles::{Error, Loop, Result, RunMode, Signum};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let mut signals = Signals::new(&event_loop, Signum::new(36))?;
    let mut go = WakeUps::named(&event_loop, "go")?;
    Executor::new(&event_loop).block_on(async move {
        println!("ready");
        go.recv().await;
        for n in 1..=5 {
            assert_eq!(signals.recv().await, Signum::new(36));
            println!("{n}");
        }
        assert_eq!(signals.next().await, Some(Signum::new(36)));
        println!("6");
        // It is not watched, until another stream is made.
        drop(signals);
        println!("dropped");
        go.recv().await;
        let mut signals = signal(Signum::new(36))?;
        println!("again");
        signals.recv().await;
        Ok::<_, Error>(())
    })??;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
