//! A panic in a task ends the guest.

use uv_handles::task::{Executor, sleep};
use uv_handles::{Loop, Result, RunMode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let executor = Executor::new(&event_loop);
    executor
        .spawn(async {
            println!("polled");
            sleep(10).await.unwrap();
            panic!("the task fails");
        })?
        .detach();
    executor.block_on(sleep(1_000))??;
    println!("not reached");
    event_loop.run(RunMode::Default).map(drop)
}
