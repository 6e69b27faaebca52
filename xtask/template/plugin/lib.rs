//! A plugin: prints a line each second, until the host asks it to end.

use std::time::Duration;
use uv_handles::plugin::Life;
use uv_handles::{Async, Handle, Loop, Result, Timer};

uv_handles::plugin!(Plugin); // The exports that a host calls.

struct Plugin;

impl Life for Plugin {
    /// Called first. `config` is what the host and the plugin agree on: here, the text of a line.
    fn init(config: Vec<u8>, _state: Option<Vec<u8>>) -> std::result::Result<(), String> {
        let line = match config.is_empty() {
            true => "tick".to_owned(),
            false => String::from_utf8(config).map_err(|error| error.to_string())?,
        };
        start(move || println!("{line}")).map_err(|error| error.to_string())
    }

    /// The state for a newer version of the plugin: none.
    fn hand_over() -> Option<Vec<u8>> {
        None
    }
}

/// Makes the plugin's handles. The host runs their loop between the calls of exports.
fn start(mut print: impl FnMut() + 'static) -> Result<()> {
    let event_loop = Loop::hosted()?;
    let second = Duration::from_secs(1);
    Timer::new(&event_loop)?.start_with(second, second, move |_| print())?;
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
        super::start(move || count.set(count.get() + 1)).unwrap();
        native::advance(3_500);
        assert_eq!(ticks.get(), 3);
        native::send("stop").unwrap();
        native::advance(10_000);
        assert_eq!(ticks.get(), 3);
    }
}
