//! The random calls that need more than one line.

use super::{Made, Owned, World, bytes, check_loop_call, name, number, size};
use crate::{NO_TOKEN, NOTHING, events, pull_callbacks};
use uv::async_handle::AsyncHandle;
use uv::async_sender::AsyncSender;
use uv::batch::{Reserve, advance};
use uv::blocking::{Pulled, pull, pull_next};
use uv::descriptors::{Descriptor, ShutdownHow, Word};
use uv::event_loop::Loop;
use uv::handle;
use uv::poll::Poll;
use uv::timer::Timer;
use uv::types::{Error, Event, Occurrence, RunMode, StatusCode};
use uv_handles::bindings::uv::handles as uv;
use uv_handles::changes::{Change, Changes};

/// The token of the timers that keep a wait short.
const NOBODY: u64 = u64::MAX - 1_000;

/// What the host allows for one mailbox.
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

/// Goes on with a run. Only a long wait is avoided: before a pull that could be one, a timer is started, or
/// the loop is stopped.
pub fn pull_some(world: &mut World) -> Option<()> {
    let at = fastrand::choice(0..world.loops.len())?;
    world.pulled_last = Some(world.loops[at].0);
    pull_one(world, at, |event_loop, max| (max, pull(event_loop, max)))
}

/// The same with the loop that was pulled last.
pub fn pull_next_some(world: &mut World) -> Option<()> {
    match world.loops.iter().position(|&(serial, _)| Some(serial) == world.pulled_last) {
        Some(at) => {
            pull_one(world, at, |_, max| (max, pull_next(max, fastrand::u32(..300), None, &anything())))
        }
        None => {
            assert!(matches!(pull_next(size(), 0, None, &[]), Err(Error::Status(StatusCode::Einval))));
            Some(())
        }
    }
}

/// The same in brief, and in the other form what can not be said so.
pub fn pull_callbacks_some(world: &mut World) -> Option<()> {
    let callback = |token| Event { token, what: Occurrence::Callback };
    match world.loops.iter().position(|&(serial, _)| Some(serial) == world.pulled_last) {
        Some(at) => pull_one(world, at, |_, max| match pull_callbacks() {
            (NO_TOKEN, second) => {
                assert_eq!(second, NO_TOKEN);
                (max, pull_next(max, 0, None, &[]))
            }
            (first, NO_TOKEN) => (1, Ok(Pulled::Event(callback(first)))),
            (first, second) => (2, Ok(Pulled::Callbacks(vec![first, second]))),
        }),
        None => {
            assert_eq!(pull_callbacks(), NOTHING);
            Some(())
        }
    }
}

/// `pull` answers also how many callbacks it may have brought.
fn pull_one(
    world: &mut World,
    at: usize,
    pull: impl FnOnce(&Loop, u32) -> (u32, Result<Pulled, Error>),
) -> Option<()> {
    let (serial, event_loop) = &world.loops[at];
    let longest = world.longest_wait;
    let long = event_loop.poll_timeout().is_ok_and(|wait| wait.is_none_or(|wait| wait > longest));
    // Dropped when the run has gone on, perhaps in its own callback.
    let _timer = long.then(|| {
        let timer =
            Timer::create(event_loop, NOBODY).and_then(|timer| timer.start(number() % 3, 0).map(|()| timer));
        if timer.is_err() || fastrand::bool() {
            event_loop.stop();
        }
        timer
    });
    let (max, pulled) = pull(event_loop, size());
    match pulled {
        Ok(Pulled::Finished(_)) => assert!(max > 0),
        Ok(Pulled::Event(event)) => {
            if event.token != NOBODY {
                world.check_event(*serial, &event);
            }
            world.count("event", occurrence(&event.what));
        }
        Ok(batch) => {
            let events = events(batch);
            assert!((2..=max as usize).contains(&events.len()), "{events:?}");
            let others = events.iter().filter(|event| event.token != NOBODY);
            others.for_each(|event| world.check_event(*serial, event));
            let kinds: Vec<_> = events.iter().map(|event| occurrence(&event.what)).collect();
            kinds.into_iter().for_each(|kind| world.count("event", kind));
            // Any position, and handles that have not been closed by what is no position of the batch.
            let beyond = events.len() as u32 + number() as u32 % 3;
            if fastrand::bool() {
                tell(fastrand::u32(0..=beyond), None, &[own(beyond as u16), own(u16::MAX)]);
            }
        }
        Err(_) => {}
    }
    Some(())
}

/// How an event is counted.
fn occurrence(what: &Occurrence) -> &'static str {
    match what {
        Occurrence::Callback => "callback",
        Occurrence::Poll(Ok(_)) => "poll",
        Occurrence::Poll(Err(_)) => "poll-error",
        Occurrence::Signal(_) => "signal",
        Occurrence::Closed => "closed",
    }
}

fn own(position: u16) -> (u16, Change) {
    (position, Change::CloseOwn)
}

fn tell(position: u32, reserve: Option<&Reserve>, changes: &[(u16, Change)]) {
    advance(position, reserve, changes.iter().copied().collect::<Changes>().as_numbers());
}

/// Tells the host of a batch that there is not, or not any more, and changes a timer, if there is one.
pub fn advance_and_change(world: &mut World) -> Option<()> {
    let reserve = fastrand::choice(&world.reserves).map(|(_, reserve)| reserve);
    advance(fastrand::u32(..300), reserve, &anything());
    let (reached, position) = (fastrand::u32(..300), fastrand::u16(..300));
    if change_by(world, |reserve, change| tell(reached, reserve, &[(position, change)])).is_none() {
        tell(reached, None, &[own(position), own(u16::MAX)]);
    }
    Some(())
}

/// Numbers that may be changes. Whichever of them is read as the head of one, it is of no timer that there is, and its position
/// of no batch.
fn anything() -> Vec<u64> {
    let any = |()| fastrand::u64(..8) << 48 | u64::from(fastrand::u16(300..)) << 32 | u64::from(u32::MAX);
    [(); 9].map(any)[fastrand::usize(..9)..].to_vec()
}

/// Changes a timer by its number, if there is one, with its reserve or another one: then nothing happens.
fn change_by(world: &mut World, tell: impl FnOnce(Option<&Reserve>, Change)) -> Option<()> {
    let timers = world.handles.iter().enumerate().filter(|(_, made)| matches!(made.owned, Owned::Timer(_)));
    let (at, made) = fastrand::choice(timers.collect::<Vec<_>>())?;
    let reserve = fastrand::choice(&world.reserves);
    let own = made.reserved.filter(|(own, _)| reserve.is_some_and(|(serial, _)| own == serial));
    // Its own, or one that may be another handle's or nobody's, but no other timer's of this reserve.
    let is_another = |number: &u32| {
        let serial = reserve.map(|(serial, _)| *serial);
        world.handles.iter().any(|made| serial.is_some() && made.reserved == serial.zip(Some(*number)))
    };
    let timer = match made.reserved {
        Some((_, number)) => number,
        None => Some(fastrand::u32(..200)).filter(|number| !is_another(number)).unwrap_or(u32::MAX),
    };
    let (any, token) = (made.owned.any(), fastrand::u64(..100));
    let state = || (handle::closing(&any), handle::closed(&any), handle::active(&any));
    let before = state();
    let (was_closing, was_closed, _) = before;
    let (timeout, repeat) = (number(), number());
    let change = match fastrand::u8(..6) {
        0 => Change::Close { timer },
        1 => Change::Stop { timer },
        2 => Change::Start { timer, timeout, repeat },
        3 => Change::OpenAndStart { timer, token, timeout, repeat },
        _ => Change::Open { timer, token },
    };
    tell(reserve.map(|(_, reserve)| reserve), change);
    match change {
        _ if own.is_none() => assert_eq!(state(), before),
        Change::Close { .. } => assert!(handle::closing(&any)),
        Change::Stop { .. } => assert!(!handle::active(&any)),
        Change::Start { .. } => assert!(was_closing || handle::active(&any)),
        Change::Open { .. } | Change::OpenAndStart { .. } if was_closed && !handle::closed(&any) => {
            world.handles[at].token = token;
        }
        Change::Open { .. } | Change::OpenAndStart { .. } | Change::CloseOwn => {
            assert_eq!(handle::closing(&any), was_closing)
        }
    }
    Some(())
}

/// Makes something to make timers ahead by.
pub fn make_reserve(world: &mut World) -> Option<()> {
    if world.reserves.len() >= 3 {
        return None;
    }
    let serial = world.serial();
    world.reserves.push((serial, Reserve::create().expect("it is no plugin")));
    Some(())
}

/// Drops it, less often than one is made.
pub fn drop_reserve(world: &mut World) -> Option<()> {
    let at = fastrand::choice(0..world.reserves.len())?;
    fastrand::bool().then(|| drop(world.reserves.swap_remove(at)))
}

/// Makes timers that are closed.
pub fn make_ahead(world: &mut World) -> Option<()> {
    if !world.has_room() {
        return None;
    }
    let (owner, event_loop) = fastrand::choice(&world.loops)?;
    let (serial, reserve) = fastrand::choice(&world.reserves)?;
    let (owner, count) = (*owner, fastrand::u32(..4));
    let result = reserve.make(event_loop, count);
    check_loop_call(count > 0 && event_loop.closed(), &result);
    assert!(count > 0 || result.is_err());
    let made = result.unwrap_or_default();
    assert!(made.len() <= count as usize);
    for (timer, number) in made {
        let owned = Owned::Timer(timer);
        assert!(handle::closed(&owned.any()));
        world.handles.push(Made { owner, token: u64::MAX, owned, reserved: Some((*serial, number)) });
    }
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

/// Reads a word.
pub fn read_word(world: &mut World) -> Option<()> {
    let (max, limit) = (size(), world.read_limit);
    if let Ok(word) = fastrand::choice(&world.descriptors)?.read_word(max) {
        assert!(word.length <= max.min(limit).min(8));
        assert_eq!(word.bytes.checked_shr(8 * word.length).unwrap_or(0), 0, "nothing behind it");
    }
    Some(())
}

/// Writes a word, also one that is too long.
pub fn write_word(world: &mut World) -> Option<()> {
    let word = Word { length: fastrand::choice([0, 1, 7, 8, 9, u32::MAX])?, bytes: fastrand::u64(..) };
    match fastrand::choice(&world.descriptors)?.write_word(word) {
        Ok(written) => assert!(written <= word.length && word.length <= 8),
        Err(error) => assert!(word.length <= 8 || matches!(error, Error::Status(StatusCode::Einval))),
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
        Err(error) => assert!(matches!(error, Error::Status(StatusCode::Enotsup)), "{error:?}"),
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
