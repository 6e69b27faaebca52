//! The traits of the crate futures, used by its own adapters: lines of a connection, written back in capitals.

use futures_util::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use futures_util::{FutureExt, StreamExt, select_biased, stream};
use uv_handles::task::{AsyncDescriptor, Executor, current_loop, interval, sleep};
use uv_handles::{Error, Loop, Result, RunMode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let mut socket = AsyncDescriptor::open(&event_loop, "socket")?;
    let executor = Executor::new(&event_loop);
    let lines = executor.block_on(async move {
        let mut lines = BufReader::new(socket.clone()).lines();
        let mut count = 0;
        while let Some(line) = lines.next().await {
            let answer = format!("{}\n", line?.to_uppercase());
            AsyncWriteExt::write_all(&mut socket, answer.as_bytes()).await?;
            count += 1;
        }
        socket.flush().await?;
        socket.close().await?;
        std::io::Result::Ok(count)
    })?;
    println!("{} lines", lines.expect("the connection is in order"));

    // Streams and futures of this crate among others.
    executor.block_on(async {
        let begin = current_loop().now()?;
        let mut ticks =
            stream::select(interval(20)?.map(|()| "slow"), interval(15)?.map(|()| "fast")).take(4);
        let mut seen = Vec::new();
        let mut end = sleep(1_000).fuse();
        loop {
            select_biased! {
                tick = ticks.select_next_some() => seen.push(tick),
                _ = end => break,
                complete => break,
            }
            if seen.len() == 4 {
                break;
            }
        }
        assert_eq!(seen, ["fast", "slow", "fast", "slow"]);
        assert!(current_loop().now()? - begin >= 40);
        Ok::<_, Error>(())
    })??;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
