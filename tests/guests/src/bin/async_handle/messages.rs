//! Answers each message that comes with the wake-up "jobs" over the connection "answers", and says what it has
//! seen. It ends with the message "end".

use uv_handles::{Async, AsyncSender, Error, Handle, Loop, Result, RunMode, StatusCode};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let nameless = Async::new(&event_loop)?;
    assert_refused(nameless.receive(), StatusCode::ENOTSUP);
    nameless.close();

    assert_refused(AsyncSender::open("jobs"), StatusCode::ENOENT);
    let answers = AsyncSender::open("answers")?;
    assert_refused(AsyncSender::open("answers"), StatusCode::EBUSY);
    drop(answers);
    let answers = AsyncSender::open("answers")?;
    assert_refused(answers.send(), StatusCode::ENOTCONN);
    assert_refused(answers.send_message(b"early"), StatusCode::ENOTCONN);

    let jobs = Async::named(&event_loop, "jobs")?;
    assert_eq!(jobs.receive(), Ok(None));
    let mut callbacks = 0;
    jobs.set_callback(move |jobs| {
        callbacks += 1;
        let mut messages = 0;
        while let Some(message) = jobs.receive().unwrap() {
            messages += 1;
            if message == b"end" {
                println!("{callbacks} callbacks");
                jobs.close();
                assert_eq!(jobs.receive(), Err(Error::HandleClosed));
                return;
            }
            match answers.send_message(&message) {
                Ok(()) => {}
                Err(error) => println!("{error}"),
            }
        }
        println!("{messages} messages");
    });
    println!("ready");
    event_loop.run(RunMode::Default)?;
    event_loop.close()
}
