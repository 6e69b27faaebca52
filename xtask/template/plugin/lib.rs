//! A plugin: prints a line each second, until the host asks it to end.

use std::time::Duration;
use uv_handles::{Async, Handle, Loop, Result, Timer};

wit_bindgen::generate!({ path: "wit", world: "plugin" });

uv_handles::plugin!(); // The export that receives the events of this plugin's handles.

struct Component;

export!(Component);

impl Guest for Component {
    fn init() -> Result<(), String> {
        start(|line| println!("{line}")).map_err(|error| error.to_string())
    }
}

/// Makes the plugin's handles. The host runs their loop between the calls of exports.
fn start(mut print: impl FnMut(&str) + 'static) -> Result<()> {
    let event_loop = Loop::hosted()?;
    let second = Duration::from_secs(1);
    Timer::new(&event_loop)?.start_with(second, second, move |_| print("tick"))?;
    // The host asks the plugin to end.
    Async::named(&event_loop, "stop")?
        .set_callback(|stop| stop.event_loop().handles().iter().for_each(Handle::close));
    Ok(())
}

/// Run by `cargo test` on the machine itself, in virtual time.
#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use uv_handles::native;

    #[test]
    fn ticks_until_the_host_asks_it_to_end() {
        let ticks = Rc::new(Cell::new(0));
        let count = ticks.clone();
        super::start(move |_| count.set(count.get() + 1)).unwrap();
        native::advance(3_500);
        assert_eq!(ticks.get(), 3);
        native::send("stop").unwrap();
        native::advance(10_000);
        assert_eq!(ticks.get(), 3);
    }
}
