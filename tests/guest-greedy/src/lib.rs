//! A plugin that takes as much of the host as it gets. Its callbacks do next to nothing, so that the
//! costs are the host's.

use std::cell::RefCell;
use std::rc::Rc;
use uv_handles::{
    AnyHandle, Async, AsyncSender, Check, Descriptor, Handle, Idle, Loop, Poll, PollEvents, Prepare, Result,
    Signal, Signum, Timer,
};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "wit", world: "greedy" });
}

uv_handles::plugin!();

struct Component;

/// SIGWINCH, which the tests grant: its default action is to do nothing.
const SIGWINCH: i32 = 28;

/// The number of descriptors that the poll handles share.
const POLLED: usize = 64;

/// The length of a message.
const MESSAGE: [u8; 64] = [b'm'; 64];

/// The length of a name that is denied.
const LONG_NAME: usize = 64 << 10;

/// Everything that has been taken.
#[derive(Default)]
struct Taken {
    handles: Vec<AnyHandle>,
    loops: Vec<Loop>,
    descriptors: Vec<Descriptor>,
    senders: Vec<AsyncSender>,
}

thread_local! {
    static EVENT_LOOP: Loop = Loop::hosted().expect("the first loop is within the limit");
    static TAKEN: RefCell<Taken> = RefCell::default();
}

fn event_loop() -> Loop {
    EVENT_LOOP.with(Loop::clone)
}

fn keep(handle: impl Into<AnyHandle>) {
    TAKEN.with_borrow_mut(|taken| taken.handles.push(handle.into()));
}

fn clients() -> Result<Descriptor> {
    thread_local!(static CLIENTS: RefCell<Option<Descriptor>> = const { RefCell::new(None) });
    CLIENTS.with_borrow_mut(|clients| match clients {
        Some(clients) => Ok(clients.clone()),
        None => Ok(clients.insert(Descriptor::open("clients")?).clone()),
    })
}

fn accept() -> Result<Descriptor> {
    let connection = clients()?.accept()?;
    TAKEN.with_borrow_mut(|taken| taken.descriptors.push(connection.clone()));
    Ok(connection)
}

/// A loop and a descriptor for the next poll handle. A loop has one for each descriptor.
fn polled() -> Result<(Loop, Descriptor)> {
    let number = TAKEN.with_borrow(|taken| taken.handles.len());
    let known = TAKEN.with_borrow(|taken| taken.descriptors.get(number % POLLED).cloned());
    let descriptor = known.map_or_else(accept, Ok)?;
    let event_loop = match number / POLLED {
        0 => event_loop(),
        other => match TAKEN.with_borrow(|taken| taken.loops.get(other - 1).cloned()) {
            Some(known) => known,
            None => make_loop()?,
        },
    };
    Ok((event_loop, descriptor))
}

fn make_loop() -> Result<Loop> {
    let made = Loop::hosted()?;
    TAKEN.with_borrow_mut(|taken| taken.loops.push(made.clone()));
    Ok(made)
}

fn peer() -> Result<Rc<AsyncSender>> {
    thread_local!(static PEER: RefCell<Option<Rc<AsyncSender>>> = const { RefCell::new(None) });
    PEER.with_borrow_mut(|peer| match peer {
        Some(peer) => Ok(peer.clone()),
        None => Ok(peer.insert(Rc::new(AsyncSender::open("peer")?)).clone()),
    })
}

/// Takes one.
fn take_one(kind: &str) -> Result<()> {
    let event_loop = event_loop();
    match kind {
        "timer" => {
            let timer = Timer::new(&event_loop)?;
            keep(timer.clone());
            timer.start_with(1 << 40, 0, |_| {})?;
        }
        "due-timer" => {
            let timer = Timer::new(&event_loop)?;
            keep(timer.clone());
            timer.start_with(0, 0, |timer| {
                let _ = timer.start(0, 0);
            })?;
        }
        "idle" => {
            let idle = Idle::new(&event_loop)?;
            keep(idle.clone());
            idle.start_with(|_| {})?;
        }
        "prepare" => {
            let prepare = Prepare::new(&event_loop)?;
            keep(prepare.clone());
            prepare.start_with(|_| {})?;
        }
        "check" => {
            let check = Check::new(&event_loop)?;
            keep(check.clone());
            check.start_with(|_| {})?;
        }
        "async" => {
            let handle = Async::new(&event_loop)?;
            keep(handle.clone());
            handle.send()?;
        }
        "signal" => {
            let signal = Signal::new(&event_loop)?;
            keep(signal.clone());
            signal.start_with(Signum::from(SIGWINCH), |_, _| {})?;
        }
        "poll" => {
            let (event_loop, descriptor) = polled()?;
            let poll = Poll::new(&event_loop, &descriptor)?;
            keep(poll.clone());
            poll.start_with(PollEvents::READABLE, |_, _| {})?;
        }
        "closing" => {
            let timer = Timer::new(&event_loop)?;
            keep(timer.clone());
            timer.close();
        }
        "loop" => drop(make_loop()?),
        "descriptor" => drop(accept()?),
        "sender" => {
            let sender = AsyncSender::open("peer")?;
            TAKEN.with_borrow_mut(|taken| taken.senders.push(sender));
        }
        "message" => peer()?.send_message(&MESSAGE)?,
        "denied" => drop(Descriptor::open(&"d".repeat(LONG_NAME))),
        other => panic!("{other} is no kind"),
    }
    Ok(())
}

fn give_up() {
    let taken = TAKEN.take();
    taken.handles.iter().for_each(Handle::close);
}

impl bindings::Guest for Component {
    fn take(kind: String, count: u32) -> u32 {
        (0..count).take_while(|_| take_one(&kind).is_ok()).count() as u32
    }

    fn churn(kind: String, count: u32) {
        for _ in 0..count {
            let before = TAKEN.take();
            let _ = take_one(&kind);
            give_up();
            TAKEN.set(before);
        }
    }

    fn give_up() {
        give_up();
    }
}

bindings::export!(Component with_types_in bindings);
