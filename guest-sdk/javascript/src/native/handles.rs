//! The handles of the module `uv`, by the numbers that JavaScript knows them by.

mod descriptors;

use std::cell::RefCell;

use rquickjs::{Ctx, Exception, Function, Object, Persistent, Result, TypedArray};
use slab::Slab;
use uv_handles::{
    AnyHandle, Async, Check, Handle, Idle, Loop, Poll, PollEvents, Prepare, RunMode, Signal, Signum, Timer,
};

use crate::engine::{self, Callback};
use crate::native::uv_error::Throws;
use crate::native::{define, event_loop, process};

thread_local! {
    static HANDLES: RefCell<Slab<AnyHandle>> = const { RefCell::new(Slab::new()) };
    /// Loops that the script has made. The script's own is number 0 and not here.
    static LOOPS: RefCell<Vec<Loop>> = const { RefCell::new(Vec::new()) };
}

pub fn define(functions: &Object<'_>) -> Result<()> {
    descriptors::define(functions)?;
    define!(functions, {
        "createLoop": create_loop,
        "loopRun": loop_run,
        "loopStop": |number: usize| loop_of(number).stop(),
        "loopClose": |ctx: Ctx<'_>, number: usize| loop_of(number).close().throws(&ctx),
        "loopIsClosed": |number: usize| loop_of(number).is_closed(),
        "loopIsAlive": |number: usize| loop_of(number).is_alive(),
        "loopNow": |ctx: Ctx<'_>, number: usize| loop_of(number).now().map(|now| now as f64).throws(&ctx),
        "loopUpdateTime": |ctx: Ctx<'_>, number: usize| loop_of(number).update_time().throws(&ctx),
        "loopTimeout": |ctx: Ctx<'_>, number: usize| loop_of(number).poll_timeout().throws(&ctx),
        "createHandle": create,
        "createPoll": create_poll,
        "handleState": state,
        "handleReference": reference,
        "handleClose": close,
        "handleFileno": |ctx: Ctx<'_>, number: usize| handle(number).fileno().throws(&ctx),
        "handleStart": start,
        "handleStop": stop,
        "timerStart": timer_start,
        "timerAgain": |ctx: Ctx<'_>, number: usize| timer(number).again().throws(&ctx),
        "timerRepeat": |ctx: Ctx<'_>, number: usize| timer(number).repeat().map(|ms| ms as f64).throws(&ctx),
        "timerSetRepeat": timer_set_repeat,
        "timerDueIn": |ctx: Ctx<'_>, number: usize| timer(number).due_in().map(|ms| ms as f64).throws(&ctx),
        "pollStart": poll_start,
        "signalStart": signal_start,
        "signalNumber": signal_number,
        "asyncSend": async_send,
        "asyncReceive": async_receive,
    })
}

fn create_loop(ctx: Ctx<'_>) -> Result<usize> {
    let event_loop = Loop::new().throws(&ctx)?;
    Ok(LOOPS.with_borrow_mut(|loops| {
        loops.push(event_loop);
        loops.len()
    }))
}

/// The loop with this number, which `create_loop` has given out.
fn loop_of(number: usize) -> Loop {
    match number.checked_sub(1) {
        None => event_loop::main_loop(),
        Some(at) => LOOPS.with_borrow(|loops| loops[at].clone()),
    }
}

fn loop_run(ctx: Ctx<'_>, number: usize, mode: String) -> Result<bool> {
    let mode = match mode.as_str() {
        "default" => RunMode::Default,
        "once" => RunMode::Once,
        "nowait" => RunMode::NoWait,
        _ => {
            let message = format!("there is no run mode '{mode}': it is default, once or nowait");
            return Err(Exception::throw_range(&ctx, &message));
        }
    };
    let result = loop_of(number).run(mode);
    process::check_exit(&ctx)?;
    result.throws(&ctx)
}

fn add(handle: impl Into<AnyHandle>) -> usize {
    HANDLES.with_borrow_mut(|handles| handles.insert(handle.into()))
}

/// The handle with this number. JavaScript forgets the number when the handle is closed.
fn handle(number: usize) -> AnyHandle {
    HANDLES.with_borrow(|handles| handles[number].clone())
}

/// Makes a handle of a kind. The name is that of an async handle that the host has granted.
fn create<'js>(
    ctx: Ctx<'js>,
    kind: String,
    number: usize,
    callback: Function<'js>,
    name: Option<String>,
) -> Result<usize> {
    let callback: Callback = Persistent::save(&ctx, callback);
    let event_loop = loop_of(number);
    let made: uv_handles::Result<AnyHandle> = match kind.as_str() {
        "timer" => Timer::new(&event_loop).map(|handle| {
            handle.set_callback(move |_| engine::call_back(&callback, ()));
            handle.into()
        }),
        "idle" => Idle::new(&event_loop).map(|handle| {
            handle.set_callback(move |_| engine::call_back(&callback, ()));
            handle.into()
        }),
        "prepare" => Prepare::new(&event_loop).map(|handle| {
            handle.set_callback(move |_| engine::call_back(&callback, ()));
            handle.into()
        }),
        "check" => Check::new(&event_loop).map(|handle| {
            handle.set_callback(move |_| engine::call_back(&callback, ()));
            handle.into()
        }),
        "signal" => Signal::new(&event_loop).map(|handle| {
            handle.set_callback(move |_, signum| engine::call_back(&callback, (signum.number(),)));
            handle.into()
        }),
        "async" => match &name {
            Some(name) => Async::named(&event_loop, name),
            None => Async::new(&event_loop),
        }
        .map(|handle| {
            handle.set_callback(move |_| engine::call_back(&callback, ()));
            handle.into()
        }),
        _ => return Err(Exception::throw_type(&ctx, "there is no such kind of handle")),
    };
    made.throws(&ctx).map(add)
}

/// Makes a poll handle of a descriptor.
fn create_poll<'js>(
    ctx: Ctx<'js>,
    number: usize,
    callback: Function<'js>,
    descriptor: usize,
) -> Result<usize> {
    let callback: Callback = Persistent::save(&ctx, callback);
    let poll = Poll::new(&loop_of(number), &descriptors::descriptor(&ctx, descriptor)?).throws(&ctx)?;
    poll.set_callback(move |_, result| {
        let (status, events) = match result {
            Ok(events) => (0, events.bits()),
            Err(code) => (code.code(), 0),
        };
        engine::call_back(&callback, (status, events));
    });
    Ok(add(poll))
}

/// Whether the handle is active (1), closing (2), and referenced (4).
fn state(number: usize) -> u32 {
    let handle = handle(number);
    u32::from(handle.is_active())
        | u32::from(handle.is_closing()) << 1
        | u32::from(handle.is_referenced()) << 2
}

fn reference(ctx: Ctx<'_>, number: usize, is_referenced: bool) -> Result<()> {
    let handle = handle(number);
    match is_referenced {
        true => handle.reference(),
        false => handle.dereference(),
    }
    .throws(&ctx)
}

/// Closes the handle, and forgets it in its close callback.
fn close<'js>(ctx: Ctx<'js>, number: usize, on_closed: Function<'js>) {
    let on_closed: Callback = Persistent::save(&ctx, on_closed);
    handle(number).close_with(move |_| {
        let _closed = HANDLES.with_borrow_mut(|handles| handles.remove(number));
        engine::call_back(&on_closed, ());
    });
}

/// Starts an idle, prepare or check handle.
fn start(ctx: Ctx<'_>, number: usize) -> Result<()> {
    match handle(number) {
        AnyHandle::Idle(handle) => handle.start(),
        AnyHandle::Prepare(handle) => handle.start(),
        AnyHandle::Check(handle) => handle.start(),
        _ => Ok(()),
    }
    .throws(&ctx)
}

fn stop(number: usize) {
    match handle(number) {
        AnyHandle::Timer(handle) => handle.stop(),
        AnyHandle::Idle(handle) => handle.stop(),
        AnyHandle::Prepare(handle) => handle.stop(),
        AnyHandle::Check(handle) => handle.stop(),
        AnyHandle::Poll(handle) => handle.stop(),
        AnyHandle::Signal(handle) => handle.stop(),
        AnyHandle::Async(_) => {}
    }
}

/// Defines a function that returns a handle of one kind. JavaScript calls members of a kind with
/// numbers of handles of that kind only.
macro_rules! kinds {
    ($($function:ident: $kind:ident),*) => {
        $(fn $function(number: usize) -> $kind {
            match handle(number) {
                AnyHandle::$kind(handle) => handle,
                other => unreachable!("{other:?}"),
            }
        })*
    };
}
kinds!(timer: Timer, poll: Poll, signal: Signal, async_handle: Async);

fn timer_start(ctx: Ctx<'_>, number: usize, timeout: f64, repeat: f64) -> Result<()> {
    timer(number).start(timeout as u64, repeat as u64).throws(&ctx)
}

fn timer_set_repeat(ctx: Ctx<'_>, number: usize, repeat: f64) -> Result<()> {
    timer(number).set_repeat(repeat as u64).throws(&ctx)
}

fn poll_start(ctx: Ctx<'_>, number: usize, bits: u8) -> Result<()> {
    let all = [PollEvents::READABLE, PollEvents::WRITABLE, PollEvents::DISCONNECT, PollEvents::PRIORITIZED];
    let events = all.into_iter().filter(|event| bits & event.bits() != 0);
    poll(number).start(events.fold(PollEvents::NONE, |all, event| all | event)).throws(&ctx)
}

fn signal_start(ctx: Ctx<'_>, number: usize, signum: i32, is_oneshot: bool) -> Result<()> {
    let signal = signal(number);
    match is_oneshot {
        true => signal.start_oneshot(Signum::new(signum)),
        false => signal.start(Signum::new(signum)),
    }
    .throws(&ctx)
}

fn signal_number(ctx: Ctx<'_>, number: usize) -> Result<i32> {
    Ok(signal(number).signum().throws(&ctx)?.map_or(0, Signum::number))
}

fn async_send(ctx: Ctx<'_>, number: usize) -> Result<()> {
    async_handle(number).send().throws(&ctx)
}

/// The oldest message in the mailbox of an async handle.
fn async_receive(ctx: Ctx<'_>, number: usize) -> Result<Option<TypedArray<'_, u8>>> {
    let message = async_handle(number).receive().throws(&ctx)?;
    message.map(|message| TypedArray::new(ctx, message)).transpose()
}
