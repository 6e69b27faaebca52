//! A plugin for the tests of driving one from outside: each export leaves handles behind, whose callbacks
//! write lines.

use std::cell::RefCell;
use uv_handles::{Async, AsyncSender, Error, Handle, Idle, Loop, RunMode, Timer};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "plugin" });
}

uv_handles::plugin!();

struct Component;

thread_local! {
    static EVENT_LOOP: Loop = Loop::new().expect("there may be one");
    static TIMER: RefCell<Option<Timer>> = const { RefCell::new(None) };
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn event_loop() -> Loop {
    EVENT_LOOP.with(Loop::clone)
}

fn say(line: impl Into<String>) {
    LINES.with_borrow_mut(|lines| lines.push(line.into()));
}

impl bindings::Guest for Component {
    fn tick(every: u64) {
        let timer = Timer::new(&event_loop()).unwrap();
        let mut ticks = 0;
        let callback = move |_: &Timer| {
            ticks += 1;
            say(format!("tick {ticks}"));
        };
        timer.start_with(every, every, callback).unwrap();
        TIMER.set(Some(timer));
    }

    fn close() {
        if let Some(timer) = TIMER.take() {
            timer.close_with(|_| say("closed"));
        }
    }

    fn listen(name: String) {
        let wake_up = Async::named(&event_loop(), &name).unwrap();
        wake_up.set_callback(|_| say("woken"));
    }

    fn spin() {
        Idle::new(&event_loop()).unwrap().start_with(|_| {}).unwrap();
    }

    fn later(milliseconds: u64, what: String) {
        let timer = Timer::new(&event_loop()).unwrap();
        let callback = move |timer: &Timer| match what.as_str() {
            "trap" => panic!("the plugin fails"),
            "stop" => timer.event_loop().stop(),
            _ => loop {
                std::hint::black_box(());
            },
        };
        timer.start_with(milliseconds, 0, callback).unwrap();
    }

    fn stop_after(milliseconds: u64) {
        let stop = Async::named(&event_loop(), "stop").unwrap();
        let timer = Timer::new(&event_loop()).unwrap();
        stop.set_callback(move |_| {
            say("stopping");
            timer
                .start_with(milliseconds, 0, |timer| {
                    timer.event_loop().handles().iter().for_each(Handle::close);
                })
                .unwrap();
        });
    }

    fn sleep_later(milliseconds: u64) {
        let timer = Timer::new(&event_loop()).unwrap();
        let callback = |_: &Timer| std::thread::sleep(std::time::Duration::MAX);
        timer.start_with(milliseconds, 0, callback).unwrap();
    }

    fn take(name: String) {
        let jobs = Async::named(&event_loop(), &name).unwrap();
        jobs.set_callback(|jobs| {
            while let Some(message) = jobs.receive().unwrap() {
                say(format!("took {}", String::from_utf8(message).unwrap()));
            }
        });
    }

    fn pass(connection: String, message: Vec<u8>) -> Result<(), String> {
        let status = |error: Error| error.code().map_or(error.to_string(), |code| code.name().into());
        let sender = AsyncSender::open(&connection).map_err(status)?;
        sender.send_message(&message).map_err(status)
    }

    fn run() -> String {
        match event_loop().run(RunMode::NoWait) {
            Ok(alive) => alive.to_string(),
            Err(Error::Status(status)) => status.name().into(),
            Err(error) => error.to_string(),
        }
    }

    fn lines() -> Vec<String> {
        LINES.take()
    }
}

bindings::export!(Component with_types_in bindings);
