//! Wake-ups by the host's threads as a stream; none is lost, also if a wait is given up.

use futures_util::StreamExt;
use uv_handles::task::{AsyncDescriptor, Executor, WakeUps, spawn, timeout};
use uv_handles::{Error, Loop, Result, RunMode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let answers = AsyncDescriptor::open(&event_loop, "answers")?;
    let mut ping = WakeUps::named(&event_loop, "ping")?;
    let mut end = WakeUps::named(&event_loop, "end")?;
    Executor::new(&event_loop).block_on(async move {
        println!("ready");
        let answering = spawn(async move {
            let mut given_up = 0u32;
            loop {
                match timeout(0, ping.recv()).await {
                    Ok(()) => answers.write_all(b"!").await?,
                    Err(_) => given_up += 1,
                }
                // Half of the answers without a timeout.
                if given_up.is_multiple_of(2) {
                    ping.next().await;
                    answers.write_all(b"!").await?;
                }
            }
            #[expect(unreachable_code, reason = "it tells the type")]
            Ok::<_, Error>(())
        })?;
        end.recv().await;
        answering.abort();
        Ok::<_, Error>(())
    })??;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
