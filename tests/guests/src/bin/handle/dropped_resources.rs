//! Dropping a resource closes the handle silently, for every kind. With the bare interfaces: the
//! SDK keeps the resource until the close callback.

use uv_handles::bindings::uv::handles::async_handle::AsyncHandle;
use uv_handles::bindings::uv::handles::check::Check;
use uv_handles::bindings::uv::handles::descriptors::Descriptor;
use uv_handles::bindings::uv::handles::event_loop::{Loop, Step};
use uv_handles::bindings::uv::handles::handle::{self, AnyHandle};
use uv_handles::bindings::uv::handles::idle::Idle;
use uv_handles::bindings::uv::handles::poll::Poll;
use uv_handles::bindings::uv::handles::prepare::Prepare;
use uv_handles::bindings::uv::handles::signal::Signal;
use uv_handles::bindings::uv::handles::timer::Timer;
use uv_handles::bindings::uv::handles::types::{EventKind, PollEvents, RunMode};

struct All {
    timer: Timer,
    idle: Idle,
    prepare: Prepare,
    check: Check,
    wake_up: AsyncHandle,
    poll: Poll,
    signal: Signal,
}

impl All {
    /// A started handle of every kind, all of them due at once but for the signal.
    fn started(event_loop: &Loop, socket: &Descriptor) -> All {
        let all = All {
            timer: Timer::create(event_loop, 0).unwrap(),
            idle: Idle::create(event_loop, 1).unwrap(),
            prepare: Prepare::create(event_loop, 2).unwrap(),
            check: Check::create(event_loop, 3).unwrap(),
            wake_up: AsyncHandle::create(event_loop, 4).unwrap(),
            poll: Poll::create(event_loop, 5, socket).unwrap(),
            signal: Signal::create(event_loop, 6).unwrap(),
        };
        all.timer.start(0, 0).unwrap();
        all.idle.start().unwrap();
        all.prepare.start().unwrap();
        all.check.start().unwrap();
        all.wake_up.send().unwrap();
        all.poll.start(PollEvents::WRITABLE).unwrap();
        all.signal.start(28).unwrap();
        all
    }

    fn close(&self) {
        handle::close(&AnyHandle::Timer(&self.timer));
        handle::close(&AnyHandle::Idle(&self.idle));
        handle::close(&AnyHandle::Prepare(&self.prepare));
        handle::close(&AnyHandle::Check(&self.check));
        handle::close(&AnyHandle::AsyncHandle(&self.wake_up));
        handle::close(&AnyHandle::Poll(&self.poll));
        handle::close(&AnyHandle::Signal(&self.signal));
    }
}

/// One iteration: the tokens and the kinds of what it brings, and whether the loop is alive after it.
fn iteration(event_loop: &Loop) -> (Vec<(u64, &'static str)>, bool) {
    let run = event_loop.begin(RunMode::Nowait).unwrap();
    let mut seen = Vec::new();
    loop {
        match run.next().unwrap() {
            Step::Finished(alive) => return (seen, alive),
            Step::Event(event) => {
                let what = match event.kind {
                    EventKind::Callback => "callback",
                    EventKind::Poll(Ok(_)) => "poll",
                    EventKind::Poll(Err(_)) => "poll-error",
                    EventKind::Signal(_) => "signal",
                    EventKind::Closed => "closed",
                };
                seen.push((event.token, what));
            }
            Step::Wait => panic!("a run of mode nowait does not wait"),
        }
    }
}

pub fn main() {
    let event_loop = Loop::create().unwrap();
    let socket = Descriptor::open("socket").unwrap();
    let all = All::started(&event_loop, &socket);
    let all_due: Vec<_> =
        [1, 2, 4, 5, 3, 0].map(|token| (token, if token == 5 { "poll" } else { "callback" })).into();
    assert_eq!(iteration(&event_loop), (all_due.clone(), true));
    // Started, due, and dropped without a word.
    drop(all);
    assert_eq!(iteration(&event_loop), (vec![], false));
    assert!(event_loop.handles().is_empty());

    // Closed, and dropped before the close callback, which is withdrawn.
    let all = All::started(&event_loop, &socket);
    all.close();
    assert_eq!(event_loop.handles(), [0, 1, 2, 3, 4, 5, 6]);
    drop(all);
    assert_eq!(iteration(&event_loop), (vec![], false));
    // Closed, and dropped after it.
    let all = All::started(&event_loop, &socket);
    all.close();
    let (closed, alive) = iteration(&event_loop);
    assert!(!alive);
    assert_eq!(closed, [6, 5, 4, 3, 2, 1, 0].map(|token| (token, "closed")));
    drop(all);

    // In one of their callbacks, all the others: each time from another one on.
    for steps in 1..=6 {
        let all = All::started(&event_loop, &socket);
        let run = event_loop.begin(RunMode::Nowait).unwrap();
        for due in &all_due[..steps] {
            let Ok(Step::Event(event)) = run.next() else { panic!("{steps} are due") };
            assert_eq!(event.token, due.0);
        }
        drop(all);
        assert!(matches!(run.next(), Ok(Step::Finished(false))), "after {steps}");
    }

    // The descriptor goes before the poll handle, the loop before both.
    let poll = Poll::create(&event_loop, 0, &socket).unwrap();
    poll.start(PollEvents::WRITABLE).unwrap();
    drop(socket);
    assert_eq!(iteration(&event_loop), (vec![(0, "poll-error")], false));
    let socket = Descriptor::open("socket").unwrap();
    let other = Poll::create(&event_loop, 1, &socket).unwrap();
    other.start(PollEvents::WRITABLE).unwrap();
    drop(event_loop);
    drop(socket);
    drop(poll);
    drop(other);
}
