//! Answers each "ping" with a byte, counts the callbacks of "burst", and ends with "end".

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Async, Descriptor, Handle, Loop, Result, RunMode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let answers = Descriptor::open("answers")?;
    let ping = Async::named(&event_loop, "ping")?;
    ping.set_callback(move |_| assert_eq!(answers.write(b"!"), Ok(1)));
    let bursts = Rc::new(Cell::new(0u32));
    let burst = Async::named(&event_loop, "burst")?;
    burst.set_callback({
        let bursts = bursts.clone();
        move |_| bursts.set(bursts.get() + 1)
    });
    // Made last, so it is called after whatever was sent to the others before it was sent.
    let end = Async::named(&event_loop, "end")?;
    end.set_callback(|end| end.event_loop().handles().iter().for_each(Handle::close));
    println!("ready");
    event_loop.run(RunMode::Default)?;
    println!("{}", bursts.get());
    event_loop.close()
}
