//! The second program of docs/guest.md.

use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode, StatusCode};

fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let stdin = Descriptor::open("stdin")?; // ENOENT if it was not granted.
    let poll = Poll::new(&event_loop, &stdin)?;
    let mut bytes = 0;
    poll.start_with(PollEvents::READABLE, move |poll, _| {
        let mut buffer = [0; 4096];
        match stdin.read(&mut buffer) {
            Ok(0) => {
                println!("{bytes} bytes");
                poll.close();
            }
            Ok(read) => bytes += read,
            Err(error) if error == StatusCode::EAGAIN.into() => {} // Not ready after all.
            Err(error) => panic!("{error}"),
        }
    })?;
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
