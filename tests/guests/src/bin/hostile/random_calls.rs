//! Skips the SDK and calls the interfaces in random order with random arguments. Its own arguments: a seed,
//! how many calls, the longest wait in milliseconds, and how many bytes the host allows for one read. It
//! prints how often it called each function and how many events it got.
//!
//! The answers of the host are not predicted here. Some rules hold for every sequence of calls: see `random`.

use uv::async_handle::AsyncHandle;
use uv::check::Check;
use uv::handle;
use uv::idle::Idle;
use uv::prepare::Prepare;
use uv::signal::Signal;
use uv::timer::Timer;
use uv::types::PollEvents;
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::random::calls::*;
use uv_handles_test_guests::random::*;

/// One call. None if there is nothing to call it on.
type Call = fn(&mut World) -> Option<()>;

/// A function of an interface, and how to call it.
struct Function(&'static str, &'static str, Call);

/// Makes a handle of a kind.
macro_rules! make {
    ($kind:ident, $type:ident) => {
        |world| make(world, |event_loop, token| $type::create(event_loop, token).map(Owned::$kind))
    };
}

/// Calls something on a handle of a kind, which is refused exactly if that is closing.
macro_rules! on {
    ($kind:ident, $handle:ident => $call:expr) => {
        |world| {
            let made = world.a_handle(|owned| matches!(owned, Owned::$kind(_)))?;
            let Owned::$kind($handle) = &made.owned else { return None };
            check_handle_call(handle::closing(&made.owned.any()), $call);
            Some(())
        }
    };
}

/// Stops a handle of a kind.
macro_rules! stop {
    ($kind:ident) => {
        |world| {
            let made = world.a_handle(|owned| matches!(owned, Owned::$kind(_)))?;
            let Owned::$kind(handle) = &made.owned else { return None };
            handle.stop();
            assert!(!handle::active(&made.owned.any()));
            Some(())
        }
    };
}

/// Drops a handle of a kind.
macro_rules! drop_of {
    ($kind:ident) => {
        |world| world.drop_handle(|owned| matches!(owned, Owned::$kind(_)))
    };
}

/// Calls something on a handle of any kind, which is refused exactly if that is closing.
macro_rules! on_any {
    ($any:ident => $call:expr) => {
        |world| {
            let $any = world.a_handle(|_| true)?.owned.any();
            check_handle_call(handle::closing(&$any), $call);
            Some(())
        }
    };
}

/// Asks something of a handle of any kind, of which the answer must be true.
macro_rules! of_any {
    ($any:ident => $holds:expr) => {
        |world| {
            let $any = world.a_handle(|_| true)?.owned.any();
            assert!($holds);
            Some(())
        }
    };
}

/// Calls something on a loop, which is refused exactly if that is closed.
macro_rules! on_loop {
    ($event_loop:ident => $call:expr) => {
        |world| {
            let (_, $event_loop) = fastrand::choice(&world.loops)?;
            check_loop_call($event_loop.closed(), &$call);
            Some(())
        }
    };
}

/// Calls something on a loop of which the answer must be true.
macro_rules! of_loop {
    ($event_loop:ident => $holds:expr) => {
        |world| {
            let (_, $event_loop) = fastrand::choice(&world.loops)?;
            assert!($holds);
            Some(())
        }
    };
}

/// Calls something on a descriptor, whatever it answers.
macro_rules! on_descriptor {
    ($descriptor:ident => $call:expr) => {
        |world| {
            let $descriptor = fastrand::choice(&world.descriptors)?;
            let _ = $call;
            Some(())
        }
    };
}

const FUNCTIONS: &[Function] = &[
    Function("event-loop", "create", make_loop),
    Function("event-loop", "begin", begin),
    Function("event-loop", "next", next),
    Function("event-loop", "stop", of_loop!(l => { l.stop(); true })),
    Function("event-loop", "close", close_loop),
    Function("event-loop", "closed", of_loop!(l => !l.closed() || l.handles().is_empty())),
    Function("event-loop", "alive", of_loop!(l => !l.alive() || !l.closed())),
    Function("event-loop", "now", now),
    Function("event-loop", "update-time", on_loop!(l => l.update_time())),
    Function("event-loop", "poll-timeout", on_loop!(l => l.poll_timeout())),
    Function("event-loop", "handles", handles),
    Function("event-loop", "drop-loop", drop_loop),
    Function("event-loop", "drop-run", drop_run),
    Function("plugin-loop", "create", make_plugin_loop),
    Function("batch", "key", key),
    Function("batch", "next", batch_next),
    Function("batch", "next-callbacks", next_callbacks_some),
    Function("batch", "advance", advance_and_change),
    Function("batch", "create", make_pool),
    Function("batch", "allocate", allocate),
    Function("batch", "flush", flush),
    Function("batch", "drop-timer-pool", drop_pool),
    Function("blocking", "wait", wait_some),
    Function("blocking-batch", "next", blocking_next),
    Function("blocking-batch", "next-callbacks", blocking_next_callbacks_some),
    Function("blocking-batch", "next-ready", blocking_next_ready_some),
    Function("timer", "create", make!(Timer, Timer)),
    Function("timer", "start", on!(Timer, timer => timer.start(number(), number()))),
    Function("timer", "stop", stop!(Timer)),
    Function("timer", "again", on!(Timer, timer => timer.again())),
    Function("timer", "repeat", on!(Timer, timer => timer.repeat())),
    Function("timer", "set-repeat", on!(Timer, timer => timer.set_repeat(number()))),
    Function("timer", "due-in", on!(Timer, timer => timer.due_in())),
    Function("timer", "drop-timer", drop_of!(Timer)),
    Function("idle", "create", make!(Idle, Idle)),
    Function("idle", "start", on!(Idle, idle => idle.start())),
    Function("idle", "stop", stop!(Idle)),
    Function("idle", "drop-idle", drop_of!(Idle)),
    Function("prepare", "create", make!(Prepare, Prepare)),
    Function("prepare", "start", on!(Prepare, prepare => prepare.start())),
    Function("prepare", "stop", stop!(Prepare)),
    Function("prepare", "drop-prepare", drop_of!(Prepare)),
    Function("check", "create", make!(Check, Check)),
    Function("check", "start", on!(Check, check => check.start())),
    Function("check", "stop", stop!(Check)),
    Function("check", "drop-check", drop_of!(Check)),
    Function("async-handle", "create", make!(Async, AsyncHandle)),
    Function("async-handle", "create-named", make_named),
    Function("async-handle", "send", on!(Async, sent => sent.send())),
    Function("async-handle", "receive", receive),
    Function("async-handle", "drop-async-handle", drop_of!(Async)),
    Function("async-sender", "open", open_sender),
    Function("async-sender", "send", send),
    Function("async-sender", "send-message", send_message),
    Function("async-sender", "drop-async-sender", drop_sender),
    Function("poll", "create", make_poll),
    Function("poll", "start", on!(Poll, poll => poll.start(PollEvents::from_bits_retain(fastrand::u8(..))))),
    Function("poll", "stop", stop!(Poll)),
    Function("poll", "drop-poll", drop_of!(Poll)),
    Function("signal", "create", make!(Signal, Signal)),
    Function("signal", "start", on!(Signal, signal => signal.start(signum()))),
    Function("signal", "start-oneshot", on!(Signal, signal => signal.start_oneshot(signum()))),
    Function("signal", "stop", stop!(Signal)),
    Function("signal", "signum", on!(Signal, signal => signal.signum())),
    Function("signal", "drop-signal", drop_of!(Signal)),
    Function("handle", "close", of_any!(any => { handle::close(&any); handle::closing(&any) })),
    Function("handle", "active", of_any!(any => !handle::active(&any) || !handle::closing(&any))),
    Function("handle", "closing", of_any!(any => handle::closing(&any) || !handle::closed(&any))),
    Function("handle", "closed", closed),
    Function("handle", "referenced", of_any!(any => !handle::referenced(&any) || !handle::closed(&any))),
    Function("handle", "reference", on_any!(any => handle::reference(&any))),
    Function("handle", "dereference", on_any!(any => handle::dereference(&any))),
    Function("handle", "fileno", on_any!(any => handle::fileno(&any))),
    Function("descriptors", "open", open),
    Function("descriptors", "accept", accept),
    Function("descriptors", "read", read),
    Function("descriptors", "read-short", read_short),
    Function("descriptors", "write", write),
    Function("descriptors", "write-short", write_short),
    Function("descriptors", "recv-from", recv_from),
    Function("descriptors", "send-to", send_to),
    Function("descriptors", "shutdown", shutdown),
    Function("descriptors", "local-address", on_descriptor!(d => d.local_address())),
    Function("descriptors", "peer-address", on_descriptor!(d => d.peer_address())),
    Function("descriptors", "fileno", on_descriptor!(d => assert!(d.fileno() >= 3))),
    Function("descriptors", "send-buffer-size", on_descriptor!(d => d.send_buffer_size())),
    Function("descriptors", "set-send-buffer-size", on_descriptor!(d => d.set_send_buffer_size(size()))),
    Function("descriptors", "receive-buffer-size", on_descriptor!(d => d.receive_buffer_size())),
    Function(
        "descriptors",
        "set-receive-buffer-size",
        on_descriptor!(d => d.set_receive_buffer_size(size())),
    ),
    Function("descriptors", "drop-descriptor", drop_descriptor),
];

pub fn main() {
    let mut args = uv_handles_test_guests::args().map(|arg| arg.parse().expect("a number"));
    let mut argument = || args.next().expect("a seed, how many calls, the longest wait, the limit of a read");
    let (seed, calls): (u64, u64) = (argument(), argument());
    fastrand::seed(seed);
    let mut world = World::new(argument() as u32, argument() as u32);
    let of = |wanted: &[&str]| -> Vec<&Function> {
        let is = |Function(interface, name, _): &&Function| {
            wanted.contains(&format!("{interface}.{name}").as_str())
        };
        FUNCTIONS.iter().filter(is).collect()
    };
    // Calls that bring events are made more often than the others.
    let runs =
        of(&["event-loop.begin", "event-loop.next", "batch.next", "blocking.wait", "blocking-batch.next"]);
    let starts = of(&[
        "async-handle.send",
        "descriptors.open",
        "idle.create",
        "idle.start",
        "poll.create",
        "poll.start",
        "prepare.start",
        "signal.start",
        "timer.create",
        "timer.start",
    ]);
    let all: Vec<&Function> = FUNCTIONS.iter().collect();
    let mut made = 0;
    while made < calls {
        let group = fastrand::choice([&runs, &runs, &starts, &all, &all, &all, &all, &all]);
        let Function(interface, function, call) = group.and_then(fastrand::choice).expect("none is empty");
        if call(&mut world).is_some() {
            world.count(interface, function);
            made += 1;
        }
    }
    for (function, count) in &world.counts {
        println!("{function} {count}");
    }
    match seed % 3 {
        // Its resources are left to the host, together or one by one, or it ends with a trap.
        0 => std::mem::forget(world),
        1 => drop(world),
        _ => std::process::abort(),
    }
}
