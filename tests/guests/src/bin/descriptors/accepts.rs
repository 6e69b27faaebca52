//! Accepts and receives where nothing is there. Others have the same sockets and change their mode.

use uv_handles::{Async, Descriptor, Handle, Loop, Result, RunMode, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let go = Async::named(&event_loop, "go")?;
    go.set_callback(|go| go.event_loop().stop());
    let listeners = [Descriptor::open("one")?, Descriptor::open("two")?];
    let streams = [Descriptor::open("stream")?, Descriptor::open("pipe")?];
    let datagrams = Descriptor::open("datagrams")?;
    for round in 0..3 {
        for listener in &listeners {
            assert_refused(listener.accept(), StatusCode::EAGAIN);
        }
        for stream in &streams {
            assert_refused(stream.read_vec(10), StatusCode::EAGAIN);
        }
        assert_refused(datagrams.recv_from(&mut [0; 10]), StatusCode::EAGAIN);
        println!("nothing there {round}");
        event_loop.run(RunMode::Default)?;
    }
    Ok(())
}
