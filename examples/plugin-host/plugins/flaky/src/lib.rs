//! A plugin that crashes, in the ways that its manifest lists. The page of the server and its tests
//! show how the server handles that.
//!
//! | key of `[config]` | |
//! | --- | --- |
//! | `every` | milliseconds from one tick to the next; 500 unless set |
//! | `ticks` | the number of ticks that succeed; no limit unless set |
//! | `then` | what happens at the next one: `panic`, `exit`, `memory`, `spin`, `park`; `panic` unless set |
//! | `init` | what the start does: `panic`, `spin`, `memory`, or fails with any other text |
//! | `mailbox` | `unread` leaves messages where they are; `count` counts them, and tells their number after the message `total`; `none` has no mailbox |
//! | `stop` | `ignore` goes on when it is to stop |
//!
//! A message `crash` makes it crash at once; others are printed on standard output.

use std::collections::HashMap;
use std::hint::black_box;
use uv_handles::{Async, Handle, Loop, Result, Timer};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "../../wit", world: "plugin" });
}

uv_handles::plugin!();

struct Flaky;

bindings::export!(Flaky with_types_in bindings);

impl bindings::Guest for Flaky {
    fn init(config: Vec<(String, String)>) -> Result<(), String> {
        let config: HashMap<String, String> = config.into_iter().collect();
        match config.get("init").map(String::as_str) {
            None => {}
            Some(way @ ("panic" | "spin" | "memory")) => fail(way),
            Some(other) => return Err(other.into()),
        }
        start(&config).map_err(|error| error.to_string())
    }
}

fn start(config: &HashMap<String, String>) -> Result<()> {
    let number = |key: &str| config.get(key).and_then(|value| value.parse::<u64>().ok());
    let text = |key: &str| config.get(key).cloned().unwrap_or_default();
    let event_loop = Loop::hosted()?;
    let every = number("every").unwrap_or(500);
    let (mut left, then) = (number("ticks"), text("then"));
    Timer::new(&event_loop)?.start_with(every, every, move |timer| match &mut left {
        Some(0) if then == "park" => close_all(&timer.event_loop()),
        Some(0) => fail(&then),
        Some(left) => *left -= 1,
        None => {}
    })?;
    if text("mailbox") != "none" {
        let mailbox = Async::named(&event_loop, "mailbox")?;
        match &text("mailbox")[..] {
            "unread" => {}
            "count" => mailbox.set_callback(count()),
            _ => mailbox.set_callback(read),
        }
    }
    let ignores = text("stop") == "ignore";
    Async::named(&event_loop, "stop")?.set_callback(move |stop| {
        if !ignores {
            close_all(&stop.event_loop());
        }
    });
    Ok(())
}

fn read(mailbox: &Async) {
    while let Ok(Some(message)) = mailbox.receive() {
        match String::from_utf8_lossy(&message).trim() {
            "crash" => panic!("a message asked for it"),
            text => println!("message: {text}"),
        }
    }
}

fn count() -> impl FnMut(&Async) {
    let mut messages = 0_u64;
    move |mailbox| {
        while let Ok(Some(message)) = mailbox.receive() {
            match &message[..] {
                b"total" => println!("total: {messages} messages"),
                _ => messages += 1,
            }
        }
    }
}

/// A plugin that has nothing open any more has stopped.
fn close_all(event_loop: &Loop) {
    event_loop.handles().iter().for_each(Handle::close);
}

fn fail(way: &str) {
    match way {
        "exit" => std::process::exit(3),
        "memory" => {
            let mut all = Vec::new();
            loop {
                all.push(black_box(vec![1_u8; 1 << 20]));
            }
        }
        "spin" => loop {
            black_box(());
        },
        _ => panic!("it was bound to happen"),
    }
}
