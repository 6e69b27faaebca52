//! The meaning of a guest's marks. One process does one piece of work, so one place holds it.
//!
//! The store's data is that of the tests' harness: its linkers are compiled once, and not again
//! with each change of the benchmark.

use crate::program::bindings::uv_handles::bench::{control, lists};
use crate::program::guests::Ticks;
use std::sync::{Arc, Mutex, OnceLock};
use uv_handles_bench::{Answers, Session};
use uv_handles_tests::State;
use wasmtime::component::Resource;

/// The receiver of a guest's marks.
enum Marks {
    /// One guest is measured.
    One(Mutex<Session>, Option<Arc<Answers>>),
    /// One of many.
    Many(Arc<Ticks>),
}

static MARKS: OnceLock<Marks> = OnceLock::new();

/// Measures one guest in this session.
pub fn measure(session: Session) {
    let answers = session.answers();
    set(Marks::One(Mutex::new(session), answers));
}

/// Counts the ticks of many guests.
pub fn count_ticks(ticks: Arc<Ticks>) {
    set(Marks::Many(ticks));
}

fn set(marks: Marks) {
    assert!(MARKS.set(marks).is_ok(), "a process does one work");
}

/// The guest has ended: prints the report.
pub fn report() {
    println!("{}", session(std::mem::take).expect("a guest was measured").finish());
}

fn session<T>(with: impl FnOnce(&mut Session) -> T) -> Option<T> {
    match MARKS.get() {
        Some(Marks::One(session, _)) => Some(with(&mut session.lock().expect("the lock is never poisoned"))),
        _ => None,
    }
}

impl control::Host for State {
    fn begin(&mut self) {
        match MARKS.get() {
            Some(Marks::Many(ticks)) => ticks.started(),
            _ => drop(session(Session::begin)),
        }
    }

    fn end(&mut self) {
        session(Session::end);
    }

    fn count(&mut self, what: String, many: u64) {
        session(|session| session.count(&what, many));
    }

    fn memory(&mut self, what: String) {
        session(|session| session.memory(&what));
    }

    fn answer(&mut self) {
        match MARKS.get() {
            Some(Marks::Many(ticks)) => ticks.tick(),
            Some(Marks::One(_, Some(answers))) => answers.answer(),
            _ => panic!("no answer is expected"),
        }
    }
}

impl lists::Host for State {
    fn reserve(&mut self, count: u32) -> Vec<(Resource<lists::Item>, u32)> {
        (0..count).map(|number| (Resource::new_own(number), number)).collect()
    }

    fn advance(&mut self, changes: Vec<u64>) {
        std::hint::black_box(changes);
    }

    fn pull(&mut self, first: u64, count: u32) -> Vec<u64> {
        (first..first + u64::from(count)).collect()
    }
}

impl lists::HostItem for State {
    fn drop(&mut self, _: Resource<lists::Item>) -> wasmtime::Result<()> {
        Ok(())
    }
}
