//! Idle, prepare and check handles that start, stop, close and make each other, for many iterations,
//! while an unreferenced timer is active. Every call is foreseen: prepare and check once in each
//! iteration, and what is started inside its own phase in the next one.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use uv_handles::{Check, Handle, Idle, Loop, Prepare, Result, RunMode, Timer};

const ITERATIONS: u32 = 20;
const IDLES: usize = 4;
/// After so many calls, an idle handle stops itself.
const CALLS: u32 = 3;

#[derive(Default)]
struct Counts {
    iterations: Cell<u32>,
    every_other: Cell<u32>,
    idles: Cell<u32>,
    helpers_made: Cell<u32>,
    helpers_called: Cell<u32>,
    closed: Cell<u32>,
}

fn count(counter: &Cell<u32>) -> u32 {
    counter.set(counter.get() + 1);
    counter.get()
}

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let counts = Rc::new(Counts::default());

    // Started by the other prepare handle in every even iteration, it is called in the odd ones.
    let every_other = Prepare::new(&event_loop)?;
    every_other.set_callback({
        let counts = counts.clone();
        move |every_other| {
            assert_eq!(counts.iterations.get() % 2, 1, "not in the phase in which it was started");
            every_other.stop();
            count(&counts.every_other);
        }
    });
    let always = Prepare::new(&event_loop)?;
    always.start_with({
        let (counts, every_other) = (counts.clone(), every_other.clone());
        move |_| {
            if counts.iterations.get().is_multiple_of(2) {
                every_other.start().unwrap();
            }
            count(&counts.iterations);
        }
    })?;

    // Idle handles that the check handle starts. Each makes a helper, if there is none, which closes
    // itself as soon as it is called.
    let helper: Rc<RefCell<Option<Idle>>> = Rc::default();
    let idles: Vec<Idle> = (0..IDLES).map(|_| Idle::new(&event_loop)).collect::<Result<_>>()?;
    for idle in &idles {
        let (counts, helper) = (counts.clone(), helper.clone());
        let calls = Cell::new(0);
        idle.set_callback(move |idle| {
            count(&counts.idles);
            if count(&calls).is_multiple_of(CALLS) {
                idle.stop();
            }
            if helper.borrow().is_some() {
                return;
            }
            let made = Idle::new(&idle.event_loop()).unwrap();
            count(&counts.helpers_made);
            made.start_with({
                let (counts, helper) = (counts.clone(), helper.clone());
                move |made| {
                    count(&counts.helpers_called);
                    let (counts, helper) = (counts.clone(), helper.clone());
                    made.close_with(move |made| {
                        assert!(!made.is_active());
                        helper.take().expect("there is one at a time");
                        count(&counts.closed);
                    });
                }
            })
            .unwrap();
            *helper.borrow_mut() = Some(made);
        });
    }

    let check = Check::new(&event_loop)?;
    check.start_with({
        let (counts, idles) = (counts.clone(), idles.clone());
        move |check| {
            let iteration = counts.iterations.get();
            if iteration < ITERATIONS {
                // Some of them are started already: that changes nothing.
                let some = &idles[..iteration as usize % IDLES];
                some.iter().for_each(|idle| idle.start().unwrap());
            } else {
                check.event_loop().handles().iter().for_each(Handle::close);
            }
        }
    })?;
    let timer = Timer::new(&event_loop)?;
    timer.start(100, 100)?;
    timer.dereference()?;

    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!(counts.iterations.get(), ITERATIONS);
    assert_eq!(counts.every_other.get(), ITERATIONS / 2);
    assert!(counts.idles.get() > ITERATIONS / 2, "{}", counts.idles.get());
    let made = counts.helpers_made.get();
    assert!(made > 1);
    // The last one may have been closed before it was called.
    assert!((made - 1..=made).contains(&counts.helpers_called.get()));
    assert!(event_loop.handles().is_empty() && helper.take().is_none_or(|helper| helper.is_closed()));
    assert!(
        idles.iter().all(Handle::is_closed) && always.is_closed() && check.is_closed() && timer.is_closed()
    );
    event_loop.close()
}
