//! Looks each name of the arguments up.

use uv_handles::task::Executor;
use uv_handles::task::net::lookup;
use uv_handles::{Loop, Result};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    Executor::new(&event_loop).block_on(async move {
        for name in uv_handles_test_guests::args() {
            match lookup(&name).await {
                Ok(addresses) => println!("{name}: {}", addresses.iter().any(|a| a.is_loopback())),
                Err(error) => println!("{name}: {}", error.code().expect("a status").name()),
            }
        }
    })?;
    event_loop.run(uv_handles::RunMode::Default)?;
    event_loop.close()
}
