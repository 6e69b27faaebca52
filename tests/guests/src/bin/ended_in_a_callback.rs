//! Has something of everything, and ends in a callback: in the way of its first argument, in the
//! callback of its second one. The way `stays` goes on until the wake-up `end` comes.

use std::rc::Rc;
use uv_handles::{
    Async, Check, Descriptor, Handle, Idle, Loop, Poll, PollEvents, Prepare, Result, RunMode, Signal, Signum,
    Timer,
};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [way, kind, signum] = &args[..] else { panic!("three arguments") };
    let signum = Signum::new(signum.parse().expect("a number"));
    let end = {
        let (way, kind) = (way.clone(), kind.clone());
        move |callback: &str| {
            if callback != kind {
                return;
            }
            match way.as_str() {
                "trap" => panic!("as it is meant to"),
                "exit" => std::process::exit(3),
                _ => println!("{callback}"),
            }
        }
    };

    let event_loop = Loop::new()?;
    let go = Async::named(&event_loop, "go")?;
    // This one has everything too, and is never run.
    let other = Loop::new()?;
    Timer::new(&other)?.start(1, 1)?;
    let signal_in_other = Signal::new(&other)?;
    signal_in_other.start(signum)?;

    let in_callback = end.clone();
    go.set_callback(move |_| in_callback("async"));
    let in_callback = end.clone();
    Async::named(&event_loop, "end")?.set_callback(|end| {
        end.event_loop().handles().iter().for_each(Handle::close);
    });
    let clients = Rc::new(Descriptor::open("clients")?);
    let in_clients = Poll::new(&other, &clients)?;
    in_clients.start(PollEvents::READABLE)?;
    let mut accepted = Vec::new();
    Poll::new(&event_loop, &clients)?.start_with(PollEvents::READABLE, move |_, _| {
        accepted.push(clients.accept());
        in_callback("poll");
    })?;
    let in_callback = end.clone();
    Signal::new(&event_loop)?.start_with(signum, move |_, _| in_callback("signal"))?;
    // The others are called all the time, and wait until they have something to wait for.
    let (in_idle, in_prepare, in_check, in_timer) = (end.clone(), end.clone(), end.clone(), end.clone());
    match kind.as_str() {
        "idle" => Idle::new(&event_loop)?.start_with(move |_| in_idle("idle"))?,
        "prepare" => Prepare::new(&event_loop)?.start_with(move |_| in_prepare("prepare"))?,
        "check" => Check::new(&event_loop)?.start_with(move |_| in_check("check"))?,
        _ => {}
    }
    let due = if kind == "timer" { 1 } else { 3_600_000 };
    Timer::new(&event_loop)?.start_with(due, 1, move |_| in_timer("timer"))?;
    let closing = Timer::new(&event_loop)?;
    closing.close_with(move |_| end("close"));
    println!("ready");
    event_loop.run(RunMode::Default)?;
    println!("the loop has ended");
    Ok(())
}
