//! The members of the base class, on a handle of every kind.

use uv_handles::{
    AnyHandle, Async, Check, Descriptor, Error, Handle, Idle, Loop, Poll, PollEvents, Prepare, Result,
    RunMode, Signal, Signum, StatusCode, Timer,
};
use uv_handles_test_guests::{Trace, assert_refused};

pub fn main() -> Result<()> {
    let event_loop = Loop::new()?;
    let socket = Descriptor::open("socket")?;
    let timer = Timer::new(&event_loop)?;
    let idle = Idle::new(&event_loop)?;
    let prepare = Prepare::new(&event_loop)?;
    let check = Check::new(&event_loop)?;
    let wake_up = Async::new(&event_loop)?;
    let poll = Poll::new(&event_loop, &socket)?;
    let signal = Signal::new(&event_loop)?;
    let all: [AnyHandle; 7] = [
        timer.clone().into(),
        idle.clone().into(),
        prepare.clone().into(),
        check.clone().into(),
        wake_up.clone().into(),
        poll.clone().into(),
        signal.clone().into(),
    ];
    assert_eq!(event_loop.handles(), all, "in order of making");

    for handle in &all {
        let is_async = matches!(handle, AnyHandle::Async(_));
        assert_eq!(handle.is_active(), is_async, "{handle:?}");
        assert!(handle.is_referenced() && !handle.is_closing() && !handle.is_closed());
        assert_eq!(handle.event_loop(), event_loop);
    }
    wake_up.dereference()?;
    assert!(!event_loop.is_alive());
    wake_up.reference()?;

    timer.start(1000, 0)?;
    idle.start()?;
    prepare.start()?;
    check.start()?;
    poll.start(PollEvents::READABLE)?;
    signal.start(Signum::SIGWINCH)?;
    let trace = Trace::new();
    for handle in &all {
        assert!(handle.is_active() && event_loop.is_alive(), "{handle:?}");
        // Both are idempotent, and have nothing to do with being active.
        for (call, referenced) in [(false, false), (false, false), (true, true), (true, true), (false, false)]
        {
            if call {
                handle.reference()?
            } else {
                handle.dereference()?
            }
            assert_eq!((handle.is_referenced(), handle.is_active()), (referenced, true));
        }
        match handle {
            AnyHandle::Poll(_) => assert_eq!(handle.fileno(), Ok(socket.fileno())),
            _ => assert_refused(handle.fileno(), StatusCode::EINVAL),
        }
        assert_refused(handle.send_buffer_size(), StatusCode::EINVAL);
        assert_refused(handle.set_send_buffer_size(8192), StatusCode::EINVAL);
        assert_refused(handle.receive_buffer_size(), StatusCode::EINVAL);
        assert_refused(handle.set_receive_buffer_size(8192), StatusCode::EINVAL);
    }
    assert!(!event_loop.is_alive(), "all are active, and none is referenced");

    for handle in &all {
        let trace = trace.clone();
        handle.close_with(move |handle| {
            assert!(handle.is_closing() && !handle.is_closed(), "until the callback has returned");
            trace.add("closed");
        });
        assert!(handle.is_closing() && !handle.is_closed() && !handle.is_active(), "{handle:?}");
        assert_eq!(handle.fileno(), Err(Error::HandleClosed), "while closing already");
        assert!(event_loop.is_alive(), "it waits for its close callback, referenced or not");
    }
    assert_all_refused(&all);
    assert!(trace.is_empty() && !all.iter().any(Handle::is_closed), "a refused call changes nothing");
    event_loop.run(RunMode::Default)?;
    assert_eq!(trace.len(), 7);
    assert!(event_loop.handles().is_empty());
    for handle in &all {
        assert!(handle.is_closed() && handle.is_closing() && !handle.is_active() && !handle.is_referenced());
    }
    assert_all_refused(&all);
    event_loop.close()?;
    assert_eq!(Poll::new(&event_loop, &socket).err(), Some(Error::LoopClosed));
    assert_eq!(Async::named(&event_loop, "tick").err(), Some(Error::LoopClosed));
    Ok(())
}

/// The operations that are refused from `close` on, and those that do nothing.
fn assert_all_refused(all: &[AnyHandle]) {
    let refused = Err(Error::HandleClosed);
    for handle in all {
        assert_eq!([handle.reference(), handle.dereference()], [refused; 2]);
        assert_eq!(handle.fileno(), Err(Error::HandleClosed));
        assert_eq!(handle.send_buffer_size(), Err(Error::HandleClosed));
        assert_eq!(handle.set_send_buffer_size(1), refused);
        assert_eq!(handle.receive_buffer_size(), Err(Error::HandleClosed));
        assert_eq!(handle.set_receive_buffer_size(1), refused);
        match handle {
            AnyHandle::Timer(timer) => {
                assert_eq!([timer.start(0, 0), timer.again(), timer.set_repeat(1)], [refused; 3]);
                assert_eq!([timer.repeat(), timer.due_in()], [Err(Error::HandleClosed); 2]);
                timer.stop();
            }
            AnyHandle::Idle(idle) => {
                assert_eq!(idle.start(), refused);
                idle.stop();
            }
            AnyHandle::Prepare(prepare) => {
                assert_eq!(prepare.start(), refused);
                prepare.stop();
            }
            AnyHandle::Check(check) => {
                assert_eq!(check.start(), refused);
                check.stop();
            }
            AnyHandle::Async(wake_up) => assert_eq!(wake_up.send(), refused),
            AnyHandle::Poll(poll) => {
                assert_eq!(poll.start(PollEvents::READABLE), refused);
                assert_eq!(poll.start(PollEvents::NONE), refused);
                poll.stop();
            }
            AnyHandle::Signal(signal) => {
                assert_eq!(signal.start(Signum::SIGWINCH), refused);
                assert_eq!(signal.start_oneshot(Signum::SIGWINCH), refused);
                assert_eq!(signal.signum(), Err(Error::HandleClosed));
                signal.stop();
            }
        }
        handle.close();
        assert!(handle.is_closing() && !handle.is_active(), "{handle:?}");
    }
}
