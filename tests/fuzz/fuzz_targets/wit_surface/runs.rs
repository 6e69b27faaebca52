//! The guest's runs: one callback at a time, and in batches.

use crate::changes::Changes;
use crate::guest::{Guest, LOOPS, NO_LOOP, Run, is_code};
use crate::resources::{borrow, pick};
use arbitrary::Arbitrary;
use uv_handles_host::Interrupted;
use uv_handles_host::bindings::uv::handles::batch::{BatchStep, Host as Batch};
use uv_handles_host::bindings::uv::handles::blocking::Host as _;
use uv_handles_host::bindings::uv::handles::event_loop::{HostLoop, HostRun, Step};
use uv_handles_host::bindings::uv::handles::handle::{AnyHandle, Host as _};
use uv_handles_host::bindings::uv::handles::timer::HostTimer;
use uv_handles_host::bindings::uv::handles::types::{Error, ErrorCode, Event, EventKind, RunMode};
use wasmtime::component::Resource;

/// A key: usually the key of a run.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub enum Key {
    Of(u8),
    Seen(u8),
    Any(u64),
}

/// No token in both halves.
const NOTHING: u64 = u64::MAX;

impl Guest {
    pub fn begin(&mut self, at: u8, mode: RunMode) {
        self.with_loop(at, |guest, id| {
            let begun = guest.host().begin(borrow(id), mode);
            let is_running = |run: &Run| run.event_loop == id && !run.finished;
            match () {
                () if guest.is_plugin => assert!(is_code(&begun, ErrorCode::Enotsup)),
                () if HostLoop::closed(&mut guest.host(), borrow(id)) => {
                    assert!(matches!(begun, Err(Error::LoopClosed)));
                }
                () if guest.runs.iter().any(is_running) => assert!(is_code(&begun, ErrorCode::Ebusy)),
                () if guest.runs.len() == LOOPS as usize => assert!(is_code(&begun, ErrorCode::Emfile)),
                () => {
                    let rep = begun.expect("the loop is not running").rep();
                    assert!(guest.runs.iter().all(|run| run.rep != rep), "its number is in use");
                    guest.runs.push(Run { rep, event_loop: id, finished: false });
                }
            }
        });
    }

    fn interrupt(&mut self, error: &wasmtime::Error) {
        assert!(error.is::<Interrupted>(), "{error:?}");
        self.interrupted = true;
    }

    /// Begins a run and takes some events of it.
    pub fn run(&mut self, at: u8, mode: RunMode, events: u8) {
        let before = self.runs.len();
        self.begin(at, mode);
        for _ in 0..events % 8 {
            if !self.interrupted && self.runs.len() > before {
                self.next(before as u8);
            }
        }
    }

    pub fn next(&mut self, at: u8) {
        let Some((at, Run { rep, event_loop, finished })) = pick(&self.runs, at) else {
            return;
        };
        match HostRun::next(&mut self.host(), borrow(rep)) {
            Ok(Ok(Step::Event(event))) => self.delivered(event_loop, event),
            Ok(Ok(Step::Wait)) => assert!(!finished),
            // A run that `next-callbacks` has finished is brought to its end here.
            Ok(Ok(Step::Finished(_))) => self.runs[at].finished = true,
            Ok(Err(Error::LoopClosed)) => assert_eq!(event_loop, NO_LOOP),
            Ok(Err(error)) => {
                assert!(finished || matches!(error, Error::Code(ErrorCode::Emfile)), "{error:?}");
            }
            Err(error) => self.interrupt(&error),
        }
    }

    /// The run that a key names, if it has not been dropped, and the key.
    fn key(&mut self, key: Key) -> (Option<usize>, u64) {
        match key {
            Key::Of(at) => match pick(&self.runs, at) {
                Some((at, run)) => {
                    let key = self.host().key(borrow(run.rep));
                    if !self.keys.contains(&key) {
                        self.keys.push(key);
                    }
                    (Some(at), key)
                }
                None => (None, 0),
            },
            Key::Seen(at) => (None, pick(&self.keys, at).map_or(1, |(_, key)| key)),
            Key::Any(key) => (None, key),
        }
    }

    /// The run with this key.
    fn run_of(&mut self, key: u64) -> Option<usize> {
        let runs = self.runs.clone();
        let with_key = |guest: &mut Guest, run: &Run| {
            !run.finished && run.event_loop != NO_LOOP && guest.host().key(borrow(run.rep)) == key
        };
        runs.iter().position(|run| with_key(self, run))
    }

    pub fn batch_next(
        &mut self,
        key: Key,
        max: u32,
        position: Option<u32>,
        pool: Option<u8>,
        changes: Changes,
    ) {
        let (_, key) = self.key(key);
        let run = self.run_of(key);
        let pool = pool.and_then(|at| pick(&self.pools, at)).map(|(_, pool)| borrow(pool));
        let (changes, opened) = self.changes(changes);
        let next = Batch::next(&mut self.host(), key, max, position, pool, changes);
        let Some(event_loop) = run.map(|at| self.runs[at].event_loop) else {
            // The key of a run that has finished may still bring the end, which `next-callbacks` could not.
            match next {
                Ok(Err(error)) => {
                    assert!(matches!(error, Error::Code(ErrorCode::Einval) | Error::LoopClosed), "{error:?}");
                }
                Ok(Ok(step)) => assert!(matches!(step, BatchStep::Finished(_)), "{step:?}"),
                Err(error) => self.interrupt(&error),
            }
            self.opened(&opened, &[]);
            return;
        };
        let of = |kind: EventKind| move |token| Event { token, kind: kind.clone() };
        let events: Vec<Event> = match next {
            Ok(Ok(BatchStep::Event(event))) => vec![event],
            Ok(Ok(BatchStep::Callbacks(tokens))) => tokens.into_iter().map(of(EventKind::Callback)).collect(),
            Ok(Ok(BatchStep::Closes(tokens))) => tokens.into_iter().map(of(EventKind::Closed)).collect(),
            Ok(Ok(BatchStep::Polls(ready))) => {
                let event = |(token, events)| Event { token, kind: EventKind::Poll(Ok(events)) };
                ready.into_iter().map(event).collect()
            }
            Ok(Ok(BatchStep::Wait)) => vec![],
            Ok(Ok(BatchStep::Finished(_))) => {
                self.runs[run.expect("it has a loop")].finished = true;
                vec![]
            }
            Ok(Err(error)) => {
                let is_expected = match error {
                    Error::Code(ErrorCode::Einval) => max == 0,
                    Error::Code(ErrorCode::Emfile) => true,
                    _ => false,
                };
                assert!(is_expected, "{error:?}");
                vec![]
            }
            Err(error) => return self.interrupt(&error),
        };
        assert!(events.len() <= max.min(65_536) as usize);
        let tokens: Vec<u64> = events.iter().map(|event| event.token).collect();
        self.opened(&opened, &tokens);
        events.into_iter().for_each(|event| self.delivered(event_loop, event));
    }

    pub fn next_callbacks(&mut self, key: Key) {
        let (_, key) = self.key(key);
        let run = self.run_of(key);
        match Batch::next_callbacks(&mut self.host(), key) {
            // A run that it has come to the end of is finished when `next` brings that.
            Ok(NOTHING) => {
                if let Some(at) = run {
                    self.note_finished(at, key);
                }
            }
            Ok(pair) => {
                let event_loop = self.runs[run.expect("the key names a run")].event_loop;
                for token in [pair as u32, (pair >> 32) as u32].into_iter().filter(|it| *it != u32::MAX) {
                    self.delivered(event_loop, Event { token: token.into(), kind: EventKind::Callback });
                }
            }
            Err(error) => self.interrupt(&error),
        }
    }

    /// Notes that a run has finished: it has another key then, which names nothing.
    fn note_finished(&mut self, at: usize, key: u64) {
        let run = self.runs[at].rep;
        self.runs[at].finished = self.host().key(borrow(run)) != key;
    }

    pub fn advance(&mut self, key: Key, position: u32, pool: Option<u8>, changes: Changes) {
        let (_, key) = self.key(key);
        let pool = pool.and_then(|at| pick(&self.pools, at)).map(|(_, pool)| borrow(pool));
        let (changes, opened) = self.changes(changes);
        Batch::advance(&mut self.host(), key, position, pool, changes);
        self.opened(&opened, &[]);
    }

    /// Waits, if the wait cannot last for ever. In virtual time a wait for a timer is over at once, so
    /// a timer is started for its time.
    pub fn wait(&mut self, at: u8) {
        let Some((_, Run { rep, event_loop, finished })) = pick(&self.runs, at) else {
            return;
        };
        let guard = match event_loop == NO_LOOP || finished {
            true => None,
            false => match HostTimer::create(&mut self.host(), borrow(event_loop), u64::MAX) {
                Ok(timer) => Some(timer.rep()),
                Err(_) => return,
            },
        };
        if let Some(timer) = guard {
            HostTimer::start(&mut self.host(), borrow(timer), 1 << 40, 0).unwrap();
            self.host().dereference(AnyHandle::Timer(borrow(timer))).unwrap();
        }
        match self.host().wait(borrow(rep)) {
            Ok(Ok(())) => assert!(guard.is_some()),
            Ok(Err(Error::LoopClosed)) => assert_eq!(event_loop, NO_LOOP),
            Ok(Err(error)) => assert!(finished && matches!(error, Error::Code(ErrorCode::Einval))),
            Err(error) => return self.interrupt(&error),
        }
        if let Some(timer) = guard {
            HostTimer::drop(&mut self.host(), Resource::new_own(timer)).unwrap();
        }
    }

    pub fn drop_run(&mut self, at: u8) {
        if let Some((at, run)) = pick(&self.runs, at) {
            self.runs.remove(at);
            HostRun::drop(&mut self.host(), Resource::new_own(run.rep)).unwrap();
        }
    }
}
