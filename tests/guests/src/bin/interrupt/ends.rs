//! Waits as its argument says: for a timer, in a loop that runs inside another one's callback, or with
//! one of the two functions that wait.

use uv_handles::bindings::uv::handles as uv;
use uv_handles::{Async, Loop, Result, RunMode, Timer};

/// Says so if anything of the guest still runs.
struct Dropped;

impl Drop for Dropped {
    fn drop(&mut self) {
        println!("dropped");
    }
}

/// An hour, in milliseconds.
const HOUR: u64 = 60 * 60 * 1000;

/// Waits for a timer with this function, until the host ends it.
fn wait_with(wait: impl Fn(&uv::event_loop::Run)) {
    let event_loop = uv::event_loop::Loop::create().unwrap();
    let timer = uv::timer::Timer::create(&event_loop, 0).unwrap();
    timer.start(HOUR, 0).unwrap();
    let run = event_loop.begin(uv::types::RunMode::Default).unwrap();
    println!("ready");
    loop {
        assert!(matches!(run.next(), Ok(uv::event_loop::Step::Wait)));
        wait(&run);
        println!("the wait is over");
    }
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    let _dropped = Dropped;
    match uv_handles_test_guests::args().next().as_deref() {
        Some("nested") => {
            let inner = Loop::new()?;
            let _never_sent = Async::new(&inner)?;
            timer.start_with(0, 0, move |_| {
                println!("ready");
                inner.run(RunMode::Default).unwrap();
                println!("the inner loop has ended");
            })?;
        }
        Some("wait") => wait_with(|run| uv::blocking::wait(run).unwrap()),
        Some("next") => wait_with(|run| {
            uv::blocking_batch::next(uv::batch::key(run), 1, None, None, &[]).unwrap();
        }),
        Some("next-callbacks") => wait_with(|run| {
            uv::blocking_batch::next_callbacks(uv::batch::key(run));
        }),
        _ => {
            timer.start(HOUR, 0)?;
            println!("ready");
        }
    }
    event_loop.run(RunMode::Default)?;
    println!("the loop has ended");
    Ok(())
}
