//! A one-shot watch is called once, and stopped right after its callback. A lasting one stays.

use std::cell::Cell;
use std::rc::Rc;
use uv_handles::{Handle, Loop, Result, RunMode, Signal, Signum};

pub fn main() -> Result<()> {
    let signum = Signum::SIGWINCH;
    let event_loop = Loop::new()?;
    let [oneshot, lasting, made_lasting] = [(); 3].map(|()| Signal::new(&event_loop).unwrap());
    oneshot.start_oneshot_with(signum, |signal, _| {
        assert!(signal.is_active(), "inside its callback it is");
        println!("oneshot");
    })?;
    lasting.start_with(signum, |_, _| println!("lasting"))?;
    lasting.start_oneshot(signum)?;
    made_lasting.start_oneshot(signum)?;
    made_lasting.start_with(signum, |_, _| println!("made lasting"))?;
    let turns = Rc::new(Cell::new(0));
    let last = Signal::new(&event_loop)?;
    last.start_with(signum, {
        let turns = turns.clone();
        move |_, _| turns.set(turns.get() + 1)
    })?;
    for turn in 1..=2 {
        println!("send");
        while turns.get() < turn || oneshot.is_active() {
            event_loop.run(RunMode::Once)?;
        }
        assert!(lasting.is_active() && made_lasting.is_active());
        assert_eq!(oneshot.signum(), Ok(None));
    }
    println!("end");
    event_loop.handles().iter().for_each(Handle::close);
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
