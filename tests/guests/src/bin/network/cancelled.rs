//! Requests that are cancelled leave nothing behind: far more of them than handles are allowed, one
//! after the other, and then many at once.

use uv_handles::task::http::get;
use uv_handles::task::{Executor, spawn, timeout};
use uv_handles::{Error, Loop, Result, StatusCode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let url = uv_handles_test_guests::args().next().expect("a URL");
    Executor::new(&event_loop).block_on(async move {
        for _ in 0..50 {
            let ended = timeout(1, get(&url)).await;
            assert!(matches!(ended, Err(Error::Status(StatusCode::ETIMEDOUT))), "the server never answers");
        }
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let url = url.clone();
                spawn(async move { get(&url).await.map(drop) })
            })
            .collect::<Result<_>>()?;
        println!("sent");
        uv_handles::task::sleep(20).await?;
        drop(tasks.into_iter().map(|task| task.abort()).collect::<Vec<_>>());
        Ok::<_, Error>(())
    })??;
    println!("cancelled");
    event_loop.run(uv_handles::RunMode::Default)?;
    assert!(event_loop.handles().is_empty());
    event_loop.close()
}
