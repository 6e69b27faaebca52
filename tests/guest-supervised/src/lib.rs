//! A plugin whose configuration says how it begins, ticks, hands over and stops.
//!
//! The configuration is words: `tick` counts each millisecond, and `spin-init`, `spin-hand-over` and
//! so on misbehave.

use std::cell::Cell;
use std::hint::black_box;
use uv_handles::{Async, Handle, Loop, Timer};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "supervised" });
}

uv_handles::plugin!(Component);
bindings::export!(Component with_types_in bindings);

struct Component;

/// More than a supervisor takes.
const LARGE: usize = 32 << 20;

/// The ways to hand over.
#[derive(Clone, Copy)]
enum HandOver {
    Count,
    Nothing,
    Garbage,
    Large,
    Huge,
    Spin,
    Trap,
}

thread_local! {
    /// The loop of all handles, so that the async handle `stop` closes each of them.
    static EVENT_LOOP: Loop = Loop::hosted().expect("the host has a loop");
    static COUNT: Cell<u64> = const { Cell::new(0) };
    static HAND_OVER: Cell<HandOver> = const { Cell::new(HandOver::Count) };
}

fn spin() -> ! {
    loop {
        black_box(());
    }
}

fn start(word: &str) -> Result<(), String> {
    let text = |error: uv_handles::Error| error.to_string();
    let event_loop = EVENT_LOOP.with(Loop::clone);
    let hand_over = |way| HAND_OVER.set(way);
    match word {
        "tick" => {
            let timer = Timer::new(&event_loop).map_err(text)?;
            timer.start_with(1, 1, |_| COUNT.set(COUNT.get() + 1)).map_err(text)?;
        }
        "trap-tick" => {
            let timer = Timer::new(&event_loop).map_err(text)?;
            timer.start_with(1, 0, |_| panic!("a tick fails")).map_err(text)?;
        }
        "mailbox" => {
            let mailbox = Async::named(&event_loop, "mailbox").map_err(text)?;
            mailbox.set_callback(read);
        }
        "stop" => {
            let stop = Async::named(&event_loop, "stop").map_err(text)?;
            stop.set_callback(|stop| stop.event_loop().handles().iter().for_each(Handle::close));
        }
        // The handle is granted, but what it asks for is not done.
        "stop-late" => Async::named(&event_loop, "stop").map_err(text)?.set_callback(|_| {}),
        "ask" => drop(Async::named(&event_loop, &"x".repeat(1 << 20))),
        "print" => print!("{}", "endless ".repeat(1 << 20)),
        "lines" => (0..10_000).for_each(|line| println!("line {line}")),
        "refuse" => return Err("it does not want to ".repeat(1 << 16)),
        "spin-init" => spin(),
        "trap-init" => panic!("it cannot start"),
        "nothing" => hand_over(HandOver::Nothing),
        "garbage" => hand_over(HandOver::Garbage),
        "large" => hand_over(HandOver::Large),
        "huge" => hand_over(HandOver::Huge),
        "spin-hand-over" => hand_over(HandOver::Spin),
        "trap-hand-over" => hand_over(HandOver::Trap),
        _ => return Err(format!("there is no word {word}")),
    }
    Ok(())
}

fn read(mailbox: &Async) {
    while let Ok(Some(message)) = mailbox.receive() {
        match &message[..] {
            b"crash" => panic!("a message asked for it"),
            b"spin" => spin(),
            b"slow" => {
                let begun = std::time::Instant::now();
                while begun.elapsed().as_millis() < 20 {
                    black_box(());
                }
            }
            message => println!("{}", String::from_utf8_lossy(message)),
        }
    }
}

impl uv_handles::plugin::Life for Component {
    fn init(config: Vec<u8>, state: Option<Vec<u8>>) -> Result<(), String> {
        if let Some(state) = state {
            let count = state.try_into().map_err(|_| "the state is no number".to_owned())?;
            COUNT.set(u64::from_le_bytes(count));
        }
        String::from_utf8_lossy(&config).split_whitespace().try_for_each(start)
    }

    fn hand_over() -> Option<Vec<u8>> {
        match HAND_OVER.get() {
            HandOver::Count => Some(COUNT.get().to_le_bytes().into()),
            HandOver::Nothing => None,
            HandOver::Garbage => Some(b"garbage".into()),
            HandOver::Large => Some(vec![1; LARGE]),
            // More than wasmtime copies at once by default.
            HandOver::Huge => Some(vec![1; 5 * LARGE]),
            HandOver::Spin => spin(),
            HandOver::Trap => panic!("it has nothing to say"),
        }
    }
}

impl bindings::Guest for Component {
    fn count() -> u64 {
        COUNT.get()
    }

    fn spin() {
        spin()
    }

    fn trap() {
        panic!("it was asked to");
    }
}
