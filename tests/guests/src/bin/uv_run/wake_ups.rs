//! Prints the names of the wake-ups that come, until `end` comes.

use uv_handles::{Async, Handle, Loop, Result, RunMode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    for name in ["print", "end"] {
        let wake_up = Async::named(&event_loop, name)?;
        wake_up.set_callback(move |wake_up| {
            println!("{name}");
            if name == "end" {
                wake_up.event_loop().handles().iter().for_each(Handle::close);
            }
        });
    }
    println!("ready");
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
