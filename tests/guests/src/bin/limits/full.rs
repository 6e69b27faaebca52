//! Asks without end for what its argument says - handles, loops or descriptors - and goes on when it is
//! refused; then gives one back and takes another again and again.

use uv_handles::{
    AnyHandle, Async, Check, Descriptor, Error, Handle, Idle, Loop, Poll, Prepare, Result, RunMode, Signal,
    StatusCode, Timer,
};

/// How often it asks when it has all that it can have, and how often it takes another one then.
const AGAIN: usize = 100_000;

/// Makes as many as it gets. Answers what it has, and why there are no more.
fn all<T>(mut make: impl FnMut(usize) -> Result<T>) -> (Vec<T>, StatusCode) {
    let mut made = Vec::new();
    loop {
        match make(made.len()) {
            Ok(one) => made.push(one),
            Err(Error::Status(code)) => return (made, code),
            Err(other) => panic!("{other}"),
        }
    }
}

/// The whole of it. `exchange` makes room where one was, and takes another.
fn exhaust<T>(
    go: &Go,
    mut make: impl FnMut(usize) -> Result<T>,
    mut exchange: impl FnMut(&mut Vec<T>, usize),
) {
    let (mut made, code) = all(&mut make);
    go.wait(&format!("{} {code:?}", made.len()));
    for n in 0..AGAIN {
        assert_eq!(make(n).err(), Some(code.into()));
    }
    go.wait("refused");
    for n in 0..AGAIN {
        exchange(&mut made, n);
    }
    assert_eq!(make(0).err(), Some(code.into()));
    go.wait("again");
}

/// A loop that has what it waits with, which takes descriptors of the host.
fn ready_to_wait(clients: &Descriptor) -> Result<Loop> {
    let event_loop = Loop::new()?;
    Poll::new(&event_loop, clients)?.close();
    event_loop.run(RunMode::NoWait)?;
    Ok(event_loop)
}

/// The pauses in which the test looks at the host.
struct Go(Loop);

impl Go {
    fn new(clients: &Descriptor) -> Result<Go> {
        let event_loop = ready_to_wait(clients)?;
        Async::named(&event_loop, "go")?.set_callback(|go| go.event_loop().stop());
        let go = Go(event_loop);
        go.wait("begins");
        Ok(go)
    }

    fn wait(&self, what: &str) {
        println!("{what}");
        self.0.run(RunMode::Default).unwrap();
    }
}

pub fn main() -> Result<()> {
    let what = uv_handles_test_guests::args().next();
    let clients = Descriptor::open("clients")?;
    let go = Go::new(&clients)?;
    match what.as_deref() {
        Some("handles") => {
            let event_loop = Loop::new()?;
            let make = |n: usize| -> Result<AnyHandle> {
                Ok(match n % 7 {
                    0 => Timer::new(&event_loop)?.into(),
                    1 => Idle::new(&event_loop)?.into(),
                    2 => Prepare::new(&event_loop)?.into(),
                    3 => Check::new(&event_loop)?.into(),
                    4 => Async::new(&event_loop)?.into(),
                    5 => Poll::new(&event_loop, &clients)?.into(),
                    _ => Signal::new(&event_loop)?.into(),
                })
            };
            exhaust(&go, make, |made, n| {
                made.swap_remove(n % made.len()).close();
                event_loop.run(RunMode::NoWait).unwrap();
                made.push(make(n).expect("there is room again"));
            });
        }
        Some("loops") => {
            exhaust(
                &go,
                |_| ready_to_wait(&clients),
                |made, n| {
                    drop(made.swap_remove(n % made.len()));
                    made.push(ready_to_wait(&clients).expect("there is room again"));
                },
            );
        }
        // The test sees to it that enough clients are waiting.
        Some("descriptors") => exhaust(
            &go,
            |_| clients.accept(),
            |made, _| {
                made.pop();
                made.push(Descriptor::open("other").expect("there is room again"));
            },
        ),
        other => panic!("there is no {other:?}"),
    }
    println!("end");
    Ok(())
}
