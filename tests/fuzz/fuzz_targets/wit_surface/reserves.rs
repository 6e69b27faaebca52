//! The guest's calls that make timers ahead and change them by numbers.

use crate::guest::{Guest, Handle, Kind, any, borrow, pick};
use uv_handles_host::bindings::uv::handles::batch::{Host as Batch, HostReserve};
use uv_handles_host::bindings::uv::handles::handle::{self, Host as _};
use uv_handles_host::bindings::uv::handles::types::{Error, StatusCode};
use wasmtime::component::Resource;

impl Guest {
    pub fn create_reserve(&mut self) {
        match HostReserve::create(&mut self.host()) {
            Ok(made) => {
                assert!(!self.reserves.contains(&made.rep()), "none is there twice");
                self.reserves.push(made.rep());
            }
            Err(error) => assert!(matches!(error, Error::Status(StatusCode::Enomem))),
        }
    }

    pub fn make_ahead(&mut self, at: u8, event_loop: u8, count: u8) {
        let (Some((_, reserve)), Some((_, id))) = (pick(&self.reserves, at), pick(&self.loops, event_loop))
        else {
            return;
        };
        let made = HostReserve::make(&mut self.host(), borrow(reserve), borrow(id), count.into());
        for (timer, number) in made.unwrap_or_default() {
            let rep = timer.rep();
            assert!(rep == number && self.handles.iter().all(|held| held.rep != rep), "its number is in use");
            let kind = Kind::Timer;
            let handle = Handle { rep, kind, event_loop: id, token: u64::MAX, reserve: Some(reserve) };
            assert!(handle::Host::closed(&mut self.host(), any(handle)));
            self.handles.push(handle);
        }
    }

    /// Does something to a handle by its number, if it is a timer of this reserve; otherwise nothing happens.
    pub fn change(&mut self, at: u8, handle: u8, operation: u8, position: u16, [timeout, repeat]: [u64; 2]) {
        let (Some((_, reserve)), Some((at, handle))) =
            (pick(&self.reserves, at), pick(&self.handles, handle))
        else {
            return;
        };
        let (operation, token) = (operation % 5, self.tokens);
        self.tokens += 1;
        let head = u64::from(operation) << 48 | u64::from(position) << 32 | u64::from(handle.rep);
        let numbers = match operation {
            0 => vec![head, token],
            1 => vec![head, token, timeout, repeat],
            2 => vec![head, timeout, repeat],
            _ => vec![head],
        };
        let state = |guest: &mut Guest| {
            let mut host = guest.host();
            let ends = (host.closing(any(handle)), handle::Host::closed(&mut host, any(handle)));
            (ends, host.active(any(handle)))
        };
        let before = state(self);
        Batch::advance(&mut self.host(), position.into(), Some(borrow(reserve)), numbers);
        let after = state(self);
        if handle.reserve != Some(reserve) {
            assert_eq!(after, before);
            return;
        }
        match (operation, before, after) {
            (0 | 1, ((_, true), _), ((false, _), is_active)) => {
                assert_eq!(is_active, operation == 1);
                // It is a new handle, behind all others.
                self.handles.remove(at);
                self.handles.push(Handle { token, ..handle });
            }
            (0 | 1, ..) => assert_eq!(after, before),
            (2, ((was_closing, _), _), (_, is_active)) => assert_eq!(is_active, !was_closing),
            (3, _, (_, is_active)) => assert!(!is_active),
            (_, _, ((is_closing, _), _)) => assert!(is_closing),
        }
    }

    /// Tells changes that can be anything, but are of no handle that there is.
    pub fn tell(&mut self, at: u8, position: u32, numbers: Vec<u64>) {
        let nobody = u64::from(u32::MAX);
        let reserve = pick(&self.reserves, at).map(|(_, reserve)| borrow(reserve));
        Batch::advance(&mut self.host(), position, reserve, numbers.iter().map(|it| it | nobody).collect());
    }

    pub fn drop_reserve(&mut self, at: u8) {
        if let Some((at, reserve)) = pick(&self.reserves, at) {
            self.reserves.remove(at);
            HostReserve::drop(&mut self.host(), Resource::new_own(reserve)).unwrap();
        }
    }
}
