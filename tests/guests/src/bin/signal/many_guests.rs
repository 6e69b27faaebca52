//! Watches the signals of its arguments, twice, and prints how often it was called. With the
//! argument `come-and-go`, it makes and closes loops with a handle for a signal that never comes,
//! until it is told to end.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Async, Handle, Loop, Result, RunMode, Signal, Signum};

pub fn main() -> Result<()> {
    let args: Vec<String> = uv_handles_test_guests::args().collect();
    match args[0].as_str() {
        "come-and-go" => come_and_go(),
        _ => watch(args.iter().map(|arg| arg.parse().expect("a number")).collect()),
    }
}

fn watch(numbers: Vec<i32>) -> Result<()> {
    let event_loop = Loop::new()?;
    let calls = Rc::new(Cell::new(0));
    let signals: Vec<(Signal, Signum)> = numbers
        .into_iter()
        .map(|number| {
            let (calls, signum) = (calls.clone(), Signum::new(number));
            let signal = Signal::new(&event_loop)?;
            signal.set_callback(move |signal, got| {
                assert_eq!(got, signum);
                calls.set(calls.get() + 1);
                signal.stop();
            });
            Ok((signal, signum))
        })
        .collect::<Result<_>>()?;
    for _ in 0..2 {
        for (signal, signum) in &signals {
            signal.start(*signum)?;
        }
        println!("ready");
        // All have been called, or it would go on.
        assert!(!event_loop.run(RunMode::Default)?);
    }
    signals.iter().for_each(|(signal, _)| signal.close());
    event_loop.run(RunMode::Default)?;
    println!("{}", calls.get());
    event_loop.close()
}

fn come_and_go() -> Result<()> {
    let control = Loop::new()?;
    let end = Async::named(&control, "end")?;
    end.set_callback(Async::close);
    println!("ready");
    let mut made = 0;
    loop {
        let event_loop = Loop::new()?;
        let signal = Signal::new(&event_loop)?;
        signal.start_with(Signum::new(45), |_, _| panic!("it is not sent"))?;
        signal.close();
        assert!(!event_loop.run(RunMode::Default)?);
        event_loop.close()?;
        made += 1;
        if !control.run(RunMode::NoWait)? {
            break;
        }
    }
    println!("{made}");
    control.close()
}
