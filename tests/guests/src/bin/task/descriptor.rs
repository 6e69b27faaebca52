//! Two tasks on one connection, one that reads and one that writes, at the same time; waits that are given up; and
//! that the handle is active only while somebody waits.

use std::rc::Rc;
use uv_handles::task::{AsyncDescriptor, Executor, current_loop, sleep, spawn, timeout};
use uv_handles::{Error, Handle, Loop, PollEvents, Result, RunMode, Shutdown, StatusCode};
use uv_handles_test_guests::assert_refused;

/// More than fits into the buffers of both directions.
const BYTES: usize = 3_000_000;

fn active() -> usize {
    current_loop().handles().into_iter().filter(Handle::is_active).count()
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let executor = Executor::new(&event_loop);
    let socket = AsyncDescriptor::open(&event_loop, "socket")?;
    assert!(!event_loop.is_alive(), "no task waits");
    executor.block_on(async move {
        // The peer is silent until it has got something: this is given up.
        let idle = active();
        let mut buffer = [0; 10];
        assert_refused(timeout(5, socket.read(&mut buffer)).await, StatusCode::ETIMEDOUT);
        assert_eq!(active(), idle);
        // With another that waits, that one goes on.
        let reader = spawn({
            let socket = socket.clone();
            async move { socket.read_vec(5).await }
        })?;
        assert_refused(timeout(5, socket.readable()).await, StatusCode::ETIMEDOUT);
        assert_eq!(active(), idle + 1);
        assert_eq!(socket.writable().await, Ok(PollEvents::WRITABLE));
        socket.write_all(b"hello").await?;
        assert_eq!(reader.await??, b"hello");
        assert_eq!(active(), idle);

        // A read that is given up loses nothing.
        socket.write_all(b"again").await?;
        loop {
            match timeout(0, socket.read_vec(10)).await {
                Ok(bytes) => break assert_eq!(bytes?, b"again"),
                Err(error) => assert_eq!(error, StatusCode::ETIMEDOUT.into()),
            }
        }

        let sent: Rc<Vec<u8>> = Rc::new((0..BYTES).map(|n| (n % 251) as u8).collect());
        let (writer, bytes) = (socket.clone(), sent.clone());
        let writing = spawn(async move {
            writer.write_all(&bytes).await?;
            writer.descriptor().shutdown(Shutdown::Write)
        })?;
        let reading = spawn(async move {
            let mut received = Vec::new();
            loop {
                let bytes = socket.read_vec(65_536).await?;
                if bytes.is_empty() {
                    return Ok::<_, Error>((socket, received));
                }
                received.extend(bytes);
            }
        })?;
        writing.await??;
        let (socket, received) = reading.await??;
        assert!(received == *sent, "{} bytes", received.len());

        // Several that wait for the same, which is there at the end of the input.
        let all = (0..3).map(|_| spawn(socket.readable())).collect::<Result<Vec<_>>>()?;
        for one in all {
            assert_eq!(one.await?, Ok(PollEvents::READABLE));
        }
        sleep(0).await
    })??;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
