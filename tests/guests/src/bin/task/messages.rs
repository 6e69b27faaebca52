//! Messages of the host as a stream: each of them, in order, also if waits are given up and while no task waits.

use futures_util::StreamExt;
use uv_handles::task::{Executor, Messages, sleep, timeout};
use uv_handles::{Error, Loop, Result, RunMode, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    assert_refused(Messages::named(&event_loop, "nothing"), StatusCode::ENOENT);
    let mut jobs = Messages::named(&event_loop, "jobs")?;
    Executor::new(&event_loop).block_on(async move {
        println!("ready");
        let mut expected = 0u32;
        loop {
            // In turn: as a stream, with a wait that may be given up, and late.
            let message = match expected % 3 {
                0 => jobs.next().await,
                1 => loop {
                    if let Ok(message) = timeout(0, jobs.recv()).await {
                        break message;
                    }
                },
                _ => {
                    sleep(1).await?;
                    jobs.recv().await
                }
            };
            let message = message.expect("the handle is open");
            if message == b"end" {
                println!("{expected} in order");
                return Ok::<_, Error>(());
            }
            assert_eq!(message, expected.to_string().into_bytes());
            expected += 1;
        }
    })??;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
