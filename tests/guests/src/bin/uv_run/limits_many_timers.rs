//! Makes as many timers as its argument says, and lets each fire once, spread over a thousand
//! milliseconds. If one is refused, it says which and why, and goes on with those that it has.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Handle, Loop, Result, RunMode, Timer};

pub fn main() -> Result<()> {
    let wanted: u64 = uv_handles_test_guests::args().next().expect("how many").parse().expect("a number");
    let event_loop = Loop::new()?;
    // How many have fired, and when the last one did.
    let fired = Rc::new(Cell::new((0, 0)));
    for number in 0..wanted {
        let timer = match Timer::new(&event_loop) {
            Ok(timer) => timer,
            Err(error) => {
                println!("after {number}: {error}");
                break;
            }
        };
        let (due, fired) = (number * 7919 % 1000 + 1, fired.clone());
        timer.start_with(due, 0, move |timer| {
            let (count, before) = fired.get();
            let now = timer.event_loop().now().unwrap();
            assert!(before <= now && now >= due, "{before} ms, {now} ms, due at {due} ms");
            fired.set((count + 1, now));
            timer.close();
        })?;
    }
    event_loop.run(RunMode::Default)?;
    let (count, last) = fired.get();
    println!("{count} fired, the last at {last} ms");
    event_loop.close()
}
