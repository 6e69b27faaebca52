//! The random calls that need more than one line.

use super::{Begun, Made, Owned, World, bytes, check_loop_call, name, number, size};
use crate::{NO_TOKEN, NOTHING, assert_code, blocking_next_callbacks, events, next_callbacks, next_ready};
use uv::async_handle::AsyncHandle;
use uv::async_sender::AsyncSender;
use uv::batch::{
    self, BatchStep, Change, OpenAndStartTimer, OpenTimer, Operation, StartTimer, TimerPool, advance,
};
use uv::blocking::wait;
use uv::blocking_batch;
use uv::descriptors::{Descriptor, ShortBytes, ShutdownHow};
use uv::event_loop::{Loop, Step};
use uv::handle;
use uv::poll::Poll;
use uv::timer::Timer;
use uv::types::{Error, ErrorCode, Event, EventKind, RunMode};
use uv_handles::bindings::uv::handles as uv;

/// The token of the timers that keep a wait short. They are gone before it could come.
const SHORT_WAIT: u64 = u64::MAX - 1_000;

/// The limits of one mailbox.
const MAILBOX_LIMIT: usize = 1_000;

/// A run mode.
pub fn mode() -> RunMode {
    fastrand::choice([RunMode::Default, RunMode::Once, RunMode::Nowait]).expect("there are three")
}

/// Makes a handle, which is refused for that exactly if the loop is closed.
pub fn make(world: &mut World, make: impl FnOnce(&Loop, u64) -> Result<Owned, Error>) -> Option<()> {
    if !world.has_room() {
        return None;
    }
    let token = world.token();
    let (owner, event_loop) = fastrand::choice(&world.loops)?;
    let result = make(event_loop, token);
    check_loop_call(event_loop.closed(), &result);
    world.keep(*owner, token, result);
    Some(())
}

/// Makes a named async handle. Which error comes first, the name's or the loop's, is not said.
pub fn make_named(world: &mut World) -> Option<()> {
    if !world.has_room() {
        return None;
    }
    let (token, name) = (world.token(), name());
    let (owner, event_loop) = fastrand::choice(&world.loops)?;
    let result = AsyncHandle::create_named(event_loop, token, &name).map(Owned::Async);
    assert!(if event_loop.closed() { result.is_err() } else { !matches!(result, Err(Error::LoopClosed)) });
    world.keep(*owner, token, result);
    Some(())
}

/// Makes a poll handle.
pub fn make_poll(world: &mut World) -> Option<()> {
    let descriptor = world.take_descriptor()?;
    let made = make(world, |event_loop, token| Poll::create(event_loop, token, &descriptor).map(Owned::Poll));
    world.descriptors.push(descriptor);
    made
}

/// Makes a loop.
pub fn make_loop(world: &mut World) -> Option<()> {
    if world.loops.len() >= world.most_handles {
        return None;
    }
    let serial = world.serial();
    world.loops.extend(Loop::create().ok().map(|event_loop| (serial, event_loop)));
    Some(())
}

/// Closes a loop: seldom, so that there are open ones.
pub fn close_loop(world: &mut World) -> Option<()> {
    let (_, event_loop) = fastrand::choice(&world.loops)?;
    if fastrand::u8(..8) > 0 {
        return None;
    }
    assert_eq!(event_loop.close().is_ok(), event_loop.closed());
    Some(())
}

/// Drops a loop: less often than one is made.
pub fn drop_loop(world: &mut World) -> Option<()> {
    let at = fastrand::choice(0..world.loops.len())?;
    fastrand::bool().then(|| drop(world.loops.swap_remove(at)))
}

/// Asks for the time.
pub fn now(world: &mut World) -> Option<()> {
    let (serial, event_loop) = fastrand::choice(&world.loops)?;
    let (serial, now) = (*serial, event_loop.now());
    check_loop_call(event_loop.closed(), &now);
    if let Ok(now) = now {
        world.check_time(serial, now);
    }
    Some(())
}

/// Lists the handles.
pub fn handles(world: &mut World) -> Option<()> {
    let (serial, event_loop) = fastrand::choice(&world.loops)?;
    world.check_handles(*serial, &event_loop.handles());
    Some(())
}

/// Begins a run.
pub fn begin(world: &mut World) -> Option<()> {
    let (owner, event_loop) = fastrand::choice(&world.loops)?;
    let (owner, closed) = (*owner, event_loop.closed());
    match event_loop.begin(mode()) {
        Ok(run) => {
            assert!(!closed);
            world.runs.push(Begun { owner, run });
        }
        Err(Error::LoopClosed) => assert!(closed),
        Err(Error::Code(ErrorCode::Ebusy)) => assert!(world.runs.iter().any(|begun| begun.owner == owner)),
        Err(error) => {
            assert!(matches!(error, Error::Code(ErrorCode::Emfile)), "{error:?}");
            assert!(!world.runs.is_empty());
        }
    }
    Some(())
}

/// Goes on with a run.
pub fn next(world: &mut World) -> Option<()> {
    let at = fastrand::choice(0..world.runs.len())?;
    let step = world.runs[at].run.next().map(|step| match step {
        Step::Event(event) => BatchStep::Event(event),
        Step::Wait => BatchStep::Wait,
        Step::Finished(alive) => BatchStep::Finished(alive),
    });
    brought(world, at, 1, step)
}

/// Drops a run, less often than one is begun.
pub fn drop_run(world: &mut World) -> Option<()> {
    let at = fastrand::choice(0..world.runs.len())?;
    fastrand::bool().then(|| forget(world, at))
}

fn forget(world: &mut World, at: usize) {
    let begun = world.runs.swap_remove(at);
    world.dropped_key = Some(batch::key(&begun.run));
}

/// Waits for a run. Only a long wait is avoided: before a wait that could be one, a timer is started.
pub fn wait_some(world: &mut World) -> Option<()> {
    let begun = fastrand::choice(&world.runs)?;
    let Some(timer) = end_of_wait(world, begun)? else {
        let error = wait(&begun.run).expect_err("its loop is gone");
        assert!(matches!(error, Error::LoopClosed | Error::Code(ErrorCode::Einval)), "{error:?}");
        return Some(());
    };
    let _ = wait(&begun.run);
    drop(timer);
    Some(())
}

/// Goes on with a run, and waits for it. Only a long wait is avoided.
pub fn blocking_next(world: &mut World) -> Option<()> {
    let at = fastrand::choice(0..world.runs.len())?;
    let timer = end_of_wait(world, &world.runs[at])?;
    let key = batch::key(&world.runs[at].run);
    // One event, so that the timer's own comes alone.
    let step = blocking_batch::next(key, 1, None, None, &anything());
    drop(timer);
    match step {
        Ok(BatchStep::Event(event)) if event.token == SHORT_WAIT => Some(()),
        step => brought(world, at, 1, step),
    }
}

/// The same in brief. Everything else comes with a later call.
pub fn blocking_next_callbacks_some(world: &mut World) -> Option<()> {
    let at = fastrand::choice(0..world.runs.len())?;
    let timer = end_of_wait(world, &world.runs[at])?;
    let (first, second) = blocking_next_callbacks(batch::key(&world.runs[at].run));
    drop(timer);
    assert!(first != NO_TOKEN || second == NO_TOKEN);
    let owner = world.runs[at].owner;
    for token in [first, second].into_iter().filter(|&token| token != NO_TOKEN) {
        world.check_event(owner, &Event { token, kind: EventKind::Callback });
        world.count("event", "callback");
    }
    Some(())
}

/// The same for a poll handle that is ready.
pub fn blocking_next_ready_some(world: &mut World) -> Option<()> {
    let at = fastrand::choice(0..world.runs.len())?;
    let timer = end_of_wait(world, &world.runs[at])?;
    let ready = next_ready(batch::key(&world.runs[at].run));
    drop(timer);
    if let Some((token, events)) = ready {
        let owner = world.runs[at].owner;
        world.check_event(owner, &Event { token, kind: EventKind::Poll(Ok(events)) });
        world.count("event", "poll");
    }
    Some(())
}

/// Starts a timer if the wait of a run could be long otherwise. `Some(None)` if the loop is gone; `None`
/// if there can be no timer.
fn end_of_wait(world: &World, begun: &Begun) -> Option<Option<Option<Timer>>> {
    let event_loop = world.loops.iter().find(|(serial, _)| *serial == begun.owner);
    let Some((_, event_loop)) = event_loop else { return Some(None) };
    Some(Some(match event_loop.poll_timeout() {
        // It is a timer that ends the wait.
        Ok(Some(timeout)) if (1..=world.longest_wait).contains(&timeout) => None,
        // It is finished.
        Err(Error::LoopClosed) => None,
        _ => {
            let timer = Timer::create(event_loop, SHORT_WAIT).ok()?;
            timer.start(number() % 3, 0).expect("it is open");
            Some(timer)
        }
    }))
}

/// The key of a run: the same until it has finished.
pub fn key(world: &mut World) -> Option<()> {
    let run = &fastrand::choice(&world.runs)?.run;
    let key = batch::key(run);
    if batch::key(run) != key {
        // A key of a run that has finished names none.
        assert_code(batch::next(key, 1, None, None, &[]), ErrorCode::Einval);
    }
    Some(())
}

/// Goes on with a run by its key, or with none by a key that names none.
pub fn batch_next(world: &mut World) -> Option<()> {
    let Some(at) = fastrand::choice(0..world.runs.len()) else {
        let key = no_key(world);
        assert_code(batch::next(key, size(), None, None, &anything()), ErrorCode::Einval);
        return Some(());
    };
    let (key, max) = (batch::key(&world.runs[at].run), size());
    let position = fastrand::bool().then(|| fastrand::u32(..300));
    let pool = fastrand::choice(&world.pools).map(|(_, pool)| pool);
    let step = batch::next(key, max, position, pool, &anything());
    assert!(max > 0 || step.is_err());
    brought(world, at, max, step)
}

/// The same in brief, and then by `batch.next` for everything else.
pub fn next_callbacks_some(world: &mut World) -> Option<()> {
    let Some(at) = fastrand::choice(0..world.runs.len()) else {
        assert_eq!(next_callbacks(no_key(world)), NOTHING);
        return Some(());
    };
    let key = batch::key(&world.runs[at].run);
    let callback = |token| Event { token, kind: EventKind::Callback };
    let (max, step) = match next_callbacks(key) {
        (NO_TOKEN, second) => {
            assert_eq!(second, NO_TOKEN);
            let max = size();
            (max, batch::next(key, max, None, None, &[]))
        }
        (first, NO_TOKEN) => (1, Ok(BatchStep::Event(callback(first)))),
        (first, second) => (2, Ok(BatchStep::Callbacks(vec![first, second]))),
    };
    brought(world, at, max, step)
}

/// A key that names no run: guessed, or of a run that is gone.
fn no_key(world: &World) -> u64 {
    fastrand::choice([world.dropped_key, None]).flatten().unwrap_or_else(|| fastrand::u64(..))
}

/// Checks the step of a run that was asked for at most so many callbacks.
fn brought(world: &mut World, at: usize, max: u32, step: Result<BatchStep, Error>) -> Option<()> {
    let owner = world.runs[at].owner;
    match step {
        Ok(BatchStep::Wait) => {}
        Ok(BatchStep::Finished(_)) => {
            // Some are kept: they count as runs, and answer nothing more.
            if fastrand::u8(..4) > 0 {
                forget(world, at);
            }
        }
        Ok(BatchStep::Event(event)) => {
            world.check_event(owner, &event);
            world.count("event", kind_of(&event.kind));
        }
        Ok(batch) => {
            let events = events(batch);
            assert!((2..=max as usize).contains(&events.len()), "{events:?}");
            events.iter().for_each(|event| world.check_event(owner, event));
            events.iter().for_each(|event| world.count("event", kind_of(&event.kind)));
            // Any position, and handles that close themselves, also at what is no position of the batch.
            let beyond = events.len() as u32 + number() as u32 % 3;
            if fastrand::bool() {
                let own = [fastrand::u32(0..=beyond), beyond, u32::MAX].map(own);
                advance(batch::key(&world.runs[at].run), fastrand::u32(0..=beyond), None, &own);
            }
        }
        Err(Error::LoopClosed) => {
            assert!(world.loops.iter().all(|(serial, _)| *serial != owner), "its loop is gone");
        }
        Err(_) => {}
    }
    Some(())
}

/// How an event is counted.
fn kind_of(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Callback => "callback",
        EventKind::Poll(Ok(_)) => "poll",
        EventKind::Poll(Err(_)) => "poll-error",
        EventKind::Signal(_) => "signal",
        EventKind::Closed => "closed",
    }
}

fn own(position: u32) -> Change {
    Change { position, operation: Operation::CloseOwn }
}

/// Tells the host of a batch that there is not, or not any more, and changes a timer, if there is one.
pub fn advance_and_change(world: &mut World) -> Option<()> {
    let pool = fastrand::choice(&world.pools).map(|(_, pool)| pool);
    let key = fastrand::choice(&world.runs).map(|begun| batch::key(&begun.run));
    let key = key.unwrap_or_else(|| no_key(world));
    advance(key, fastrand::u32(..300), pool, &anything());
    let (reached, position) = (fastrand::u32(..300), fastrand::u32(..300));
    let tell = |pool: Option<&TimerPool>, operation| {
        advance(key, reached, pool, &[Change { position, operation }]);
    };
    if change_by(world, tell).is_none() {
        advance(key, reached, None, &[own(position), own(u32::MAX)]);
    }
    Some(())
}

/// Flushes a change that is of no batch.
pub fn flush(world: &mut World) -> Option<()> {
    let (_, pool) = fastrand::choice(&world.pools)?;
    pool.flush(&anything());
    let position = fastrand::u32(..300);
    change_by(world, |pool, operation| {
        if let Some(pool) = pool {
            pool.flush(&[Change { position, operation }]);
        }
    })
}

/// Changes of timers that there are not, at any position.
fn anything() -> Vec<Change> {
    let any = |()| {
        let timer = u32::MAX - fastrand::u32(..3);
        let (token, timeout, repeat) = (number(), number(), number());
        let operation = match fastrand::u8(..5) {
            0 => Operation::Close(timer),
            1 => Operation::Stop(timer),
            2 => Operation::Start(StartTimer { timer, timeout, repeat }),
            3 => Operation::OpenAndStart(OpenAndStartTimer { timer, token, timeout, repeat }),
            _ => Operation::Open(OpenTimer { timer, token }),
        };
        Change { position: size(), operation }
    };
    [(); 9].map(any)[fastrand::usize(..9)..].to_vec()
}

/// Changes a timer by its number, if there is one, with its pool or another one: then nothing happens.
fn change_by(world: &mut World, tell: impl FnOnce(Option<&TimerPool>, Operation)) -> Option<()> {
    let timers = world.handles.iter().enumerate().filter(|(_, made)| matches!(made.owned, Owned::Timer(_)));
    let (at, made) = fastrand::choice(timers.collect::<Vec<_>>())?;
    let pool = fastrand::choice(&world.pools);
    let own = made.pooled.filter(|(own, _)| pool.is_some_and(|(serial, _)| own == serial));
    // Its own number, or one that may be another handle's or none, but no other timer's of this pool.
    let is_another = |number: &u32| {
        let serial = pool.map(|(serial, _)| *serial);
        world.handles.iter().any(|made| serial.is_some() && made.pooled == serial.zip(Some(*number)))
    };
    let timer = match made.pooled {
        Some((_, number)) => number,
        None => Some(fastrand::u32(..200)).filter(|number| !is_another(number)).unwrap_or(u32::MAX),
    };
    let (any, token) = (made.owned.any(), fastrand::u64(..100));
    let state = || (handle::closing(&any), handle::closed(&any), handle::active(&any));
    let before = state();
    let (was_closing, was_closed, _) = before;
    let (timeout, repeat) = (number(), number());
    let operation = match fastrand::u8(..6) {
        0 => Operation::Close(timer),
        1 => Operation::Stop(timer),
        2 => Operation::Start(StartTimer { timer, timeout, repeat }),
        3 => Operation::OpenAndStart(OpenAndStartTimer { timer, token, timeout, repeat }),
        _ => Operation::Open(OpenTimer { timer, token }),
    };
    tell(pool.map(|(_, pool)| pool), operation);
    match operation {
        _ if own.is_none() => assert_eq!(state(), before),
        Operation::Close(_) => assert!(handle::closing(&any)),
        Operation::Stop(_) => assert!(!handle::active(&any)),
        Operation::Start(_) => assert!(was_closing || handle::active(&any)),
        Operation::Open(_) | Operation::OpenAndStart(_) if was_closed && !handle::closed(&any) => {
            world.handles[at].token = token;
        }
        Operation::Open(_) | Operation::OpenAndStart(_) | Operation::CloseOwn => {
            assert_eq!(handle::closing(&any), was_closing)
        }
    }
    Some(())
}

/// Makes a timer pool.
pub fn make_pool(world: &mut World) -> Option<()> {
    if world.pools.len() >= 3 {
        return None;
    }
    let serial = world.serial();
    world.pools.push((serial, TimerPool::create().expect("there are few")));
    Some(())
}

/// Drops a timer pool, less often than one is made.
pub fn drop_pool(world: &mut World) -> Option<()> {
    let at = fastrand::choice(0..world.pools.len())?;
    fastrand::bool().then(|| drop(world.pools.swap_remove(at)))
}

/// Allocates timers, which are closed.
pub fn allocate(world: &mut World) -> Option<()> {
    if !world.has_room() {
        return None;
    }
    let (owner, event_loop) = fastrand::choice(&world.loops)?;
    let (serial, pool) = fastrand::choice(&world.pools)?;
    let (owner, count) = (*owner, fastrand::u32(..4));
    let result = pool.allocate(event_loop, count);
    check_loop_call(count > 0 && event_loop.closed(), &result);
    assert!(count > 0 || result.is_err());
    let made = result.unwrap_or_default();
    assert!(made.len() <= count as usize);
    for (timer, number) in made {
        let owned = Owned::Timer(timer);
        assert!(handle::closed(&owned.any()));
        world.handles.push(Made { owner, token: u64::MAX, owned, pooled: Some((*serial, number)) });
    }
    Some(())
}

/// Asks for a loop that the host runs, which only plugins have.
pub fn make_plugin_loop(_: &mut World) -> Option<()> {
    assert_code(uv::plugin_loop::create(), ErrorCode::Enotsup);
    Some(())
}

/// Opens a descriptor.
pub fn open(world: &mut World) -> Option<()> {
    world.descriptors.extend(Descriptor::open(&name()));
    Some(())
}

/// Accepts a connection.
pub fn accept(world: &mut World) -> Option<()> {
    let accepted = fastrand::choice(&world.descriptors)?.accept();
    world.descriptors.extend(accepted);
    Some(())
}

/// Reads.
pub fn read(world: &mut World) -> Option<()> {
    let (max, limit) = (size(), world.read_limit);
    if let Ok(bytes) = fastrand::choice(&world.descriptors)?.read(max) {
        assert!(bytes.len() <= max.min(limit) as usize);
    }
    Some(())
}

/// Reads a few bytes.
pub fn read_short(world: &mut World) -> Option<()> {
    let (max, limit) = (size(), world.read_limit);
    if let Ok(short) = fastrand::choice(&world.descriptors)?.read_short(max) {
        assert!(u32::from(short.length) <= max.min(limit).min(8));
        assert_eq!(short.bits.checked_shr(8 * u32::from(short.length)).unwrap_or(0), 0);
    }
    Some(())
}

/// Receives a datagram.
pub fn recv_from(world: &mut World) -> Option<()> {
    let (max, limit) = (size(), world.read_limit);
    if let Ok(datagram) = fastrand::choice(&world.descriptors)?.recv_from(max) {
        assert!(datagram.bytes.len() <= max.min(limit) as usize);
    }
    Some(())
}

/// Writes.
pub fn write(world: &mut World) -> Option<()> {
    let bytes = bytes();
    if let Ok(written) = fastrand::choice(&world.descriptors)?.write(&bytes) {
        assert!(written as usize <= bytes.len());
    }
    Some(())
}

/// Writes a few bytes.
pub fn write_short(world: &mut World) -> Option<()> {
    let bytes = ShortBytes { length: fastrand::u8(..12), bits: fastrand::u64(..) };
    if let Ok(written) = fastrand::choice(&world.descriptors)?.write_short(bytes) {
        assert!(written <= bytes.length.into() && bytes.length <= 8);
    }
    Some(())
}

/// Sends a datagram: to its own address, another's, or a name, and nothing beyond this machine.
pub fn send_to(world: &mut World) -> Option<()> {
    let descriptor = fastrand::choice(&world.descriptors)?;
    let address = fastrand::choice(&world.descriptors)?.local_address();
    let address = if fastrand::bool() { address.unwrap_or_default() } else { name() };
    let _ = descriptor.send_to(&bytes(), &address);
    Some(())
}

/// Shuts a connection down.
pub fn shutdown(world: &mut World) -> Option<()> {
    // Seldom, because it is for ever.
    if fastrand::u8(..8) > 0 {
        return None;
    }
    let how = fastrand::choice([ShutdownHow::Read, ShutdownHow::Write, ShutdownHow::Both])?;
    let _ = fastrand::choice(&world.descriptors)?.shutdown(how);
    Some(())
}

/// Drops a descriptor.
pub fn drop_descriptor(world: &mut World) -> Option<()> {
    world.take_descriptor().map(drop)
}

/// Asks whether a handle is closed.
pub fn closed(world: &mut World) -> Option<()> {
    world.check_closed(world.a_handle(|_| true)?);
    Some(())
}

/// Takes a message, of which a handle without a name has none.
pub fn receive(world: &mut World) -> Option<()> {
    let made = world.a_handle(|owned| matches!(owned, Owned::Async(_)))?;
    let Owned::Async(handle) = &made.owned else { return None };
    match handle.receive() {
        Ok(message) => assert!(message.is_none_or(|message| message.len() <= MAILBOX_LIMIT)),
        Err(Error::HandleClosed) => assert!(uv::handle::closing(&made.owned.any())),
        Err(error) => assert!(matches!(error, Error::Code(ErrorCode::Enotsup)), "{error:?}"),
    }
    Some(())
}

/// Opens a connection.
pub fn open_sender(world: &mut World) -> Option<()> {
    world.senders.extend(AsyncSender::open(&name()));
    Some(())
}

/// Sends over a connection.
pub fn send(world: &mut World) -> Option<()> {
    let _ = fastrand::choice(&world.senders)?.send();
    Some(())
}

/// Sends a message over a connection.
pub fn send_message(world: &mut World) -> Option<()> {
    let bytes = bytes();
    let sent = fastrand::choice(&world.senders)?.send_message(&bytes);
    assert!(sent.is_err() || bytes.len() <= MAILBOX_LIMIT);
    Some(())
}

/// Drops a connection.
pub fn drop_sender(world: &mut World) -> Option<()> {
    let at = fastrand::choice(0..world.senders.len())?;
    world.senders.swap_remove(at);
    Some(())
}
