//! More poll handles than events are taken from the system at once, all of them ready. The first to
//! be called closes the others: no other is called, and all are called back as closed. The argument
//! says how many.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use uv_handles::{Descriptor, Handle, Loop, Poll, PollEvents, Result, RunMode};

pub fn main() -> Result<()> {
    let count: usize = uv_handles_test_guests::args().next().expect("how many").parse().expect("a number");
    let event_loop = Loop::new()?;
    let sockets: Vec<Descriptor> =
        (0..count).map(|n| Descriptor::open(&format!("socket{n}"))).collect::<Result<_>>()?;
    let polls: Rc<RefCell<Vec<Poll>>> = Rc::default();
    let (called, closed) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    for socket in &sockets {
        let poll = Poll::new(&event_loop, socket)?;
        let (polls_inside, called, closed) = (polls.clone(), called.clone(), closed.clone());
        poll.start_with(PollEvents::WRITABLE, move |_, ready| {
            assert_eq!(ready, Ok(PollEvents::WRITABLE));
            called.set(called.get() + 1);
            for poll in polls_inside.take() {
                let closed = closed.clone();
                poll.close_with(move |_| closed.set(closed.get() + 1));
            }
        })?;
        polls.borrow_mut().push(poll);
    }
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!((called.get(), closed.get()), (1, count));
    event_loop.close()
}
