//! Writes to a peer that never reads, until nothing fits any more, and goes on writing. Then it waits until
//! it can write, which is for ever.

use uv_handles::{Descriptor, Error, Loop, Poll, PollEvents, Result, RunMode, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let descriptor = Descriptor::open("deaf")?;
    // The host may refuse it, or give less.
    let _ = descriptor.set_send_buffer_size(i32::MAX as u32);
    let bytes = vec![b'x'; 8 << 20];
    let mut written = 0;
    loop {
        match descriptor.write(&bytes) {
            Ok(some) => written += some as u64,
            Err(Error::Status(StatusCode::EAGAIN)) => break,
            Err(error) => return Err(error),
        }
    }
    for _ in 0..1_000 {
        assert_refused(descriptor.write(&bytes[..1_000]), StatusCode::EAGAIN);
    }
    println!("{written}");
    let event_loop = Loop::new()?;
    let poll = Poll::new(&event_loop, &descriptor)?;
    poll.start_with(PollEvents::WRITABLE, |_, ready| panic!("there is room: {ready:?}"))?;
    println!("stuck");
    event_loop.run(RunMode::Default)?;
    Ok(())
}
