//! A whole life under load: echoes to three TCP clients, while timers, a signal, a wake-up and the phases
//! come in between, and ends as it is told: "return", "trap", or "wait" for the host to end it.
//!
//! A program of its own: the soak test starts it again and again and measures its process.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{
    Async, Check, Descriptor, Error, Handle, Idle, Loop, Poll, PollEvents, Prepare, Result, RunMode, Signal,
    Signum, StatusCode, Timer,
};

const CLIENTS: u32 = 3;

fn main() -> Result<()> {
    let ending = std::env::args().nth(1).expect("how to end");
    let event_loop = Loop::new()?;

    // Opened and closed, started or not, with and without a value that outlives the call.
    let timers = (0..100).map(|_| Timer::new(&event_loop)).collect::<Result<Vec<Timer>>>()?;
    for (timeout, timer) in (0..).zip(&timers) {
        timer.start_with(timeout % 20, timeout % 3, |timer| timer.close())?;
    }
    timers.iter().step_by(2).for_each(Handle::close);
    drop(timers);
    let idle = Idle::new(&event_loop)?;
    let mut left = 10;
    idle.start_with(move |idle| {
        left -= 1;
        if left == 0 {
            idle.close();
        }
    })?;
    Prepare::new(&event_loop)?.start_with(|_| {})?;
    Check::new(&event_loop)?.start_with(|_| {})?;

    let signal = Signal::new(&event_loop)?;
    signal.start_with(Signum::new(40), |_, _| {})?;
    let woken = Rc::new(Cell::new(false));
    let wake_up = Async::named(&event_loop, "wake-up")?;
    wake_up.set_callback({
        let woken = woken.clone();
        move |_| woken.set(true)
    });

    let listener = Descriptor::open("clients")?;
    let accepting = Poll::new(&event_loop, &listener)?;
    let gone = Rc::new(Cell::new(0));
    accepting.start_with(PollEvents::READABLE, move |accepting, _| match listener.accept() {
        Ok(client) => {
            let (gone, woken, ending) = (gone.clone(), woken.clone(), ending.clone());
            let served = move |event_loop: &Loop| {
                gone.set(gone.get() + 1);
                if gone.get() == CLIENTS {
                    assert!(woken.get(), "the wake-up came before the last client went");
                    end(event_loop, &ending);
                }
            };
            echo(&accepting.event_loop(), client, served).unwrap();
        }
        Err(error) => assert_eq!(error, StatusCode::EAGAIN.into()),
    })?;
    println!("ready");
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}

/// Sends a client back what it sends, until it ends or is reset.
fn echo(event_loop: &Loop, client: Descriptor, mut served: impl FnMut(&Loop) + 'static) -> Result<()> {
    let poll = Poll::new(event_loop, &client)?;
    poll.start_with(PollEvents::READABLE, move |poll, _| match client.read_vec(65_536) {
        Ok(bytes) if !bytes.is_empty() => {
            // The client reads it before it sends more, so it fits. It may also be gone by now.
            let _ = client.write(&bytes);
        }
        Err(Error::Status(StatusCode::EAGAIN)) => {}
        Ok(_) | Err(_) => {
            poll.close();
            served(&poll.event_loop());
        }
    })
}

fn end(event_loop: &Loop, ending: &str) {
    println!("served");
    match ending {
        "return" => event_loop.handles().iter().for_each(Handle::close),
        "trap" => panic!("as it is meant to"),
        "wait" => {}
        other => panic!("no such ending: {other}"),
    }
}
