//! The guest's timer pools, and its changes of timers by number.

use crate::guest::{Guest, Handle, any, is_code};
use crate::resources::{Kind, borrow, pick};
use arbitrary::Arbitrary;
use uv_handles_host::bindings::uv::handles::batch::{
    Change, HostTimerPool, OpenAndStartTimer, OpenTimer, Operation, StartTimer,
};
use uv_handles_host::bindings::uv::handles::event_loop::HostLoop;
use uv_handles_host::bindings::uv::handles::handle::{self, Host as _};
use uv_handles_host::bindings::uv::handles::types::{Error, ErrorCode};
use wasmtime::component::Resource;

/// A command buffer of the fuzzer's input.
pub type Changes = Vec<(u8, Timer, Operate)>;

/// The timer that a change names.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Timer {
    /// The number of a handle. It need not be a timer of the pool.
    Of(u8),
    Any(u32),
}

#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Operate {
    Open,
    OpenAndStart(u64, u64),
    Start(u64, u64),
    Stop,
    Close,
    CloseOwn,
}

/// The token of an `open` that may have done something, and the number of the timer.
pub type Opened = Vec<(u64, u32)>;

impl Guest {
    pub fn create_pool(&mut self) {
        match HostTimerPool::create(&mut self.host()) {
            Ok(made) => {
                assert!(!self.pools.contains(&made.rep()), "each is there once");
                self.pools.push(made.rep());
            }
            Err(error) => assert!(matches!(error, Error::Code(ErrorCode::Enomem))),
        }
    }

    pub fn allocate(&mut self, at: u8, event_loop: u8, count: u8) {
        let (Some((_, pool)), Some((_, id))) = (pick(&self.pools, at), pick(&self.loops, event_loop)) else {
            return;
        };
        let made = HostTimerPool::allocate(&mut self.host(), borrow(pool), borrow(id), count.into());
        assert!(!self.is_plugin || is_code(&made, ErrorCode::Enotsup));
        assert!(self.is_plugin || count > 0 || is_code(&made, ErrorCode::Einval));
        for (timer, number) in made.unwrap_or_default() {
            let rep = timer.rep();
            assert!(rep == number && self.handles.iter().all(|held| held.rep != rep), "its number is in use");
            let handle = Handle { rep, kind: Kind::Timer, event_loop: id, token: u64::MAX, pool: Some(pool) };
            assert!(handle::Host::closed(&mut self.host(), any(handle)));
            self.handles.push(handle);
        }
    }

    /// Makes one change of a handle outside of a batch. It does something only to a timer of the pool.
    pub fn flush(&mut self, at: u8, handle: u8, operate: Operate) {
        let (Some((_, pool)), Some((_, handle))) = (pick(&self.pools, at), pick(&self.handles, handle))
        else {
            return;
        };
        let state = |guest: &mut Guest| {
            let mut host = guest.host();
            let ends = (host.closing(any(handle)), handle::Host::closed(&mut host, any(handle)));
            (ends, host.active(any(handle)))
        };
        let before = state(self);
        let position = self.handles.iter().position(|it| it.rep == handle.rep).expect("it is held");
        let (changes, opened) = self.changes(vec![(0, Timer::Of(position as u8), operate)]);
        HostTimerPool::flush(&mut self.host(), borrow(pool), changes);
        self.opened(&opened, &[]);
        let after = state(self);
        if handle.pool != Some(pool) {
            assert_eq!(after, before);
            return;
        }
        match (operate, before, after) {
            (Operate::Open | Operate::OpenAndStart(..), ((_, true), _), ((false, _), is_active)) => {
                assert_eq!(is_active, matches!(operate, Operate::OpenAndStart(..)));
            }
            (Operate::Open | Operate::OpenAndStart(..) | Operate::CloseOwn, ..) => assert_eq!(after, before),
            (Operate::Start(..), ((was_closing, _), _), (_, is_active)) => {
                assert_eq!(is_active, !was_closing)
            }
            (Operate::Stop, _, (_, is_active)) => assert!(!is_active),
            (Operate::Close, _, ((is_closing, _), _)) => assert!(is_closing),
        }
    }

    /// The changes of an input, with a new token for each timer that they may open.
    pub fn changes(&mut self, changes: Changes) -> (Vec<Change>, Opened) {
        let mut opened = Opened::new();
        let changes = changes.into_iter().map(|(position, timer, operate)| {
            let timer = match timer {
                Timer::Of(at) => pick(&self.handles, at).map_or(u32::MAX, |(_, handle)| handle.rep),
                Timer::Any(number) => number,
            };
            let token = self.tokens;
            if matches!(operate, Operate::Open | Operate::OpenAndStart(..)) {
                self.tokens += 1;
                opened.push((token, timer));
            }
            let operation = match operate {
                Operate::Open => Operation::Open(OpenTimer { timer, token }),
                Operate::OpenAndStart(timeout, repeat) => {
                    Operation::OpenAndStart(OpenAndStartTimer { timer, token, timeout, repeat })
                }
                Operate::Start(timeout, repeat) => Operation::Start(StartTimer { timer, timeout, repeat }),
                Operate::Stop => Operation::Stop(timer),
                Operate::Close => Operation::Close(timer),
                Operate::CloseOwn => Operation::CloseOwn,
            };
            Change { position: position.into(), operation }
        });
        let changes = changes.collect();
        (changes, opened)
    }

    /// Learns which timers have been opened: those whose tokens the loops list, or that are in these
    /// deliveries.
    pub fn opened(&mut self, opened: &Opened, delivered: &[u64]) {
        if opened.is_empty() || self.interrupted {
            return;
        }
        let mut listed = delivered.to_vec();
        for id in self.loops.clone() {
            listed.extend(HostLoop::handles(&mut self.host(), borrow(id)));
        }
        for &(token, number) in opened.iter().filter(|(token, _)| listed.contains(token)) {
            let at = self.handles.iter().position(|it| it.rep == number).expect("only a timer is opened");
            // It is a new handle, behind all others.
            let handle = self.handles.remove(at);
            assert!(handle.pool.is_some(), "only a timer of a pool is opened");
            self.handles.push(Handle { token, ..handle });
        }
    }

    pub fn drop_pool(&mut self, at: u8) {
        if let Some((at, pool)) = pick(&self.pools, at) {
            self.pools.remove(at);
            HostTimerPool::drop(&mut self.host(), Resource::new_own(pool)).unwrap();
        }
    }
}
