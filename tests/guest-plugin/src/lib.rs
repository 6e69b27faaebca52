//! A plugin for the tests of drivers: each export leaves handles behind, whose callbacks write
//! lines.

use std::cell::{Cell, RefCell};
use uv_handles::task::{Executor, WakeUps, sleep, timeout};
use uv_handles::{
    Async, AsyncSender, Descriptor, Error, Handle, Idle, Loop, Poll, PollEvents, RunMode, Signal, Signum,
    Timer,
};

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
    static EVENT_LOOP: Loop = Loop::hosted().expect("there may be one");
    static EXECUTOR: Executor = Executor::new(&event_loop());
    static TIMER: RefCell<Option<Timer>> = const { RefCell::new(None) };
    static BEATS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static STARTED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The toolchain calls the functions of this section when the component is instantiated.
#[used]
#[expect(unsafe_code, reason = "there is no other way to a start function")]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

extern "C" fn start() {
    let made = status(Loop::new().map(|_| "made"));
    let ran = status(Loop::hosted().and_then(|event_loop| event_loop.run(RunMode::Default)));
    STARTED.set(vec![made, ran]);
}

fn event_loop() -> Loop {
    EVENT_LOOP.with(Loop::clone)
}

fn count(ticks: u64, messages: u64) {
    let (ticks_before, messages_before) = BEATS.get();
    BEATS.set((ticks_before + ticks, messages_before + messages));
}

fn executor() -> Executor {
    EXECUTOR.with(Executor::clone)
}

fn status<T: ToString>(result: uv_handles::Result<T>) -> String {
    match result {
        Ok(value) => value.to_string(),
        Err(Error::Status(status)) => status.name().into(),
        Err(error) => error.to_string(),
    }
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
        let event_loop = if what == "drop" { Loop::hosted().unwrap() } else { event_loop() };
        let timer = Timer::new(&event_loop).unwrap();
        let callback = move |timer: &Timer| match what.as_str() {
            "trap" => panic!("the plugin fails"),
            // The last of its loop.
            "drop" => timer.close(),
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

    fn beat(every: u64, name: String) {
        let timer = Timer::new(&event_loop()).unwrap();
        timer.start_with(every, every, |_| count(1, 0)).unwrap();
        Async::named(&event_loop(), &name).unwrap().set_callback(|wake_up| {
            while wake_up.receive().unwrap().is_some() {
                count(0, 1);
            }
        });
    }

    fn beats() -> (u64, u64) {
        BEATS.get()
    }

    fn watch(signum: i32, descriptor: String) {
        let event_loop = event_loop();
        let callback = |_: &Signal, signum: Signum| say(format!("signal {}", signum.number()));
        Signal::new(&event_loop).unwrap().start_with(Signum::new(signum), callback).unwrap();
        let descriptor = Descriptor::open(&descriptor).unwrap();
        let poll = Poll::new(&event_loop, &descriptor).unwrap();
        let callback = move |_: &Poll, _| {
            let mut bytes = [0; 8];
            say(format!("read {}", status(descriptor.read(&mut bytes))));
        };
        poll.start_with(PollEvents::READABLE, callback).unwrap();
    }

    fn flood(timers: u32) {
        for _ in 0..timers {
            let timer = Timer::new(&event_loop()).unwrap();
            timer.start_with(0, 0, |timer| timer.start(0, 0).unwrap()).unwrap();
        }
    }

    fn run() -> String {
        status(event_loop().run(RunMode::NoWait))
    }

    fn started() -> Vec<String> {
        STARTED.take()
    }

    fn sleeper(milliseconds: u64, fails: bool) -> String {
        let task = async move {
            say("spawned");
            for n in 1..=3 {
                sleep(milliseconds).await.unwrap();
                say(format!("slept {n}"));
            }
            assert!(!fails, "the task fails");
        };
        executor().spawn(task).unwrap().detach();
        status(executor().block_on(async { 1 }))
    }

    fn wait_for(name: String, milliseconds: u64) {
        let mut wake_ups = WakeUps::named(&event_loop(), &name).unwrap();
        let task = async move {
            while timeout(milliseconds, wake_ups.recv()).await.is_ok() {
                say("task woken");
            }
            say("too late");
        };
        executor().spawn(task).unwrap().detach();
    }

    fn clock(milliseconds: u64) {
        let clock = wasip2::clocks::monotonic_clock::subscribe_duration(milliseconds * 1_000_000);
        let mut events = 0;
        let callback = move |poll: &Poll, _| {
            events += 1;
            say("clock");
            if events == 2 {
                poll.close();
            }
        };
        Poll::on_pollable(&event_loop(), clock).unwrap().start_with(PollEvents::READABLE, callback).unwrap();
    }

    fn lines() -> Vec<String> {
        LINES.take()
    }
}

bindings::export!(Component with_types_in bindings);
