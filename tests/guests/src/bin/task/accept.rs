//! A task for each connection: accepts three TCP clients and sends each back what it sends.

use uv_handles::task::{AsyncDescriptor, Executor, spawn};
use uv_handles::{Error, Loop, Result, RunMode};

async fn echo(client: AsyncDescriptor) -> Result<()> {
    loop {
        let bytes = client.read_vec(100_000).await?;
        if bytes.is_empty() {
            return Ok(());
        }
        client.write_all(&bytes).await?;
    }
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let listener = AsyncDescriptor::open(&event_loop, "clients")?;
    Executor::new(&event_loop).block_on(async move {
        let mut tasks = Vec::new();
        for _ in 0..3 {
            tasks.push(spawn(echo(listener.accept().await?))?);
        }
        for task in tasks {
            task.await??;
        }
        Ok::<_, Error>(())
    })??;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
