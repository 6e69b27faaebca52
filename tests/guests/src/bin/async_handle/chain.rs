//! A link of a chain: takes numbers from its mailbox, checks that they come in order, and passes them on to the
//! connection "next", as long as somebody is there. What the next one has no room for waits, in order, and is tried
//! again in every iteration.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use uv_handles::{Async, AsyncSender, Error, Handle, Idle, Loop, Result, RunMode, StatusCode};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let next = AsyncSender::open("next")?;
    let waiting = Rc::new(RefCell::new(VecDeque::<Vec<u8>>::new()));
    let again = Idle::new(&event_loop)?;
    again.set_callback({
        let waiting = waiting.clone();
        let mut ended = false;
        move |again| {
            let mut waiting = waiting.borrow_mut();
            while let Some(message) = waiting.front() {
                match next.send_message(message) {
                    Err(Error::Status(StatusCode::EAGAIN)) => return,
                    // The last of the chain has no successor.
                    Err(Error::Status(StatusCode::ENOTCONN)) => {}
                    result => result.unwrap(),
                }
                ended |= waiting.pop_front().is_some_and(|message| message == b"end");
            }
            match ended {
                true => again.close(),
                false => again.stop(),
            }
        }
    });

    let jobs = Async::named(&event_loop, "jobs")?;
    let mut expected = 0;
    jobs.set_callback(move |jobs| {
        while let Some(message) = jobs.receive().unwrap() {
            let text = String::from_utf8(message.clone()).unwrap();
            waiting.borrow_mut().push_back(message);
            again.start().unwrap();
            if text == "end" {
                println!("{expected} in order");
                return jobs.close();
            }
            assert_eq!(text, expected.to_string());
            expected += 1;
        }
    });
    println!("ready");
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
