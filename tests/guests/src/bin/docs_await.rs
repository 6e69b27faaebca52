//! The program of the chapter on async and await in docs/guest.md.

use uv_handles::task::{Executor, interval, sleep, spawn, timeout};
use uv_handles::{Error, Loop, Result, StatusCode};

async fn answer() -> Result<u32> {
    sleep(1_000).await?;
    Ok(42)
}

async fn work() -> Result<()> {
    let ticker = spawn(async {
        let mut ticks = interval(100)?;
        for n in 1..=3 {
            ticks.tick().await;
            println!("tick {n}");
        }
        Ok::<_, Error>("done")
    })?;
    match timeout(10, answer()).await {
        Err(Error::Status(StatusCode::ETIMEDOUT)) => println!("no answer in time"),
        other => println!("{}", other??),
    }
    println!("{}", ticker.await??);
    Ok(())
}

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    Executor::new(&event_loop).block_on(work())?
}
