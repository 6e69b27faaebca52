//! A connection that the peer resets: who waits for readiness is told that there is an error, who reads is told which.

use futures_util::AsyncReadExt;
use std::io::ErrorKind;
use uv_handles::task::{AsyncDescriptor, Executor, spawn};
use uv_handles::{Error, Loop, PollEvents, Result, RunMode, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let mut first = AsyncDescriptor::open(&event_loop, "first")?;
    let second = AsyncDescriptor::open(&event_loop, "second")?;
    Executor::new(&event_loop).block_on(async move {
        let waits = spawn(second.ready(PollEvents::READABLE))?;
        let reads = spawn({
            let second = second.clone();
            async move { second.read_vec(10).await }
        })?;
        println!("ready");
        let mut buffer = [0; 10];
        let error = AsyncReadExt::read(&mut first, &mut buffer).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        // The other one has been reset before.
        assert_refused(waits.await?, StatusCode::EBADF);
        assert_refused(reads.await?, StatusCode::ECONNRESET);
        // And that was it: what follows is the end of the input.
        assert_eq!(second.read_vec(10).await, Ok(Vec::new()));
        Ok::<_, Error>(())
    })??;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
