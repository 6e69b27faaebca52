//! Drops a loop, a descriptor and handles in every order, and the loop's run between any two of them, at every stage of their lives: just made,
//! started, in a callback with more of them due, while they wait to be closed, in a close callback, and
//! closed. What was not dropped yet still has an answer to everything.

use std::ops::ControlFlow;
use uv::async_handle::AsyncHandle;
use uv::descriptors::Descriptor;
use uv::event_loop::{Loop, Run};
use uv::handle::{self, AnyHandle};
use uv::idle::Idle;
use uv::poll::Poll;
use uv::signal::Signal;
use uv::timer::Timer;
use uv::types::{PollEvents, RunMode};
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::go_on;

const SIGWINCH: i32 = 28;

/// How many things there are to drop.
const THINGS: usize = 7;

/// The resources of a guest. Each exists until it is dropped.
struct Things {
    event_loop: Option<Loop>,
    run: Option<Run>,
    descriptor: Option<Descriptor>,
    timer: Option<Timer>,
    idle: Option<Idle>,
    sent: Option<AsyncHandle>,
    poll: Option<Poll>,
    signal: Option<Signal>,
}

#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Stage {
    Made,
    Started,
    /// In the callback of the first of them, the others due.
    Running,
    Closing,
    /// In the close callback of one of them.
    Closed,
    /// The loop is closed too.
    LoopClosed,
}

impl Things {
    fn new(stage: Stage) -> Things {
        let event_loop = Loop::create().unwrap();
        let descriptor = Descriptor::open("socket").unwrap();
        let mut things = Things {
            run: None,
            timer: Some(Timer::create(&event_loop, 1).unwrap()),
            idle: Some(Idle::create(&event_loop, 2).unwrap()),
            sent: Some(AsyncHandle::create_named(&event_loop, 3, "wake").unwrap()),
            poll: Some(Poll::create(&event_loop, 4, &descriptor).unwrap()),
            signal: Some(Signal::create(&event_loop, 5).unwrap()),
            event_loop: Some(event_loop),
            descriptor: Some(descriptor),
        };
        things.bring_to(stage);
        things
    }

    fn bring_to(&mut self, stage: Stage) {
        if stage >= Stage::Started {
            self.start();
        }
        if stage >= Stage::Running {
            let run = self.event_loop.as_ref().unwrap().begin(RunMode::Default).unwrap();
            assert!(go_on(&run).unwrap().is_continue());
            self.run = Some(run);
        }
        if stage >= Stage::Closing {
            self.handles().iter().for_each(handle::close);
        }
        if stage >= Stage::Closed {
            assert!(go_on(self.run.as_ref().unwrap()).unwrap().is_continue());
        }
        if stage >= Stage::LoopClosed {
            while let ControlFlow::Continue(_) = go_on(self.run.as_ref().unwrap()).unwrap() {}
            self.event_loop.as_ref().unwrap().close().unwrap();
        }
    }

    /// Starts what is there. Some of it may be refused by now.
    fn start(&self) {
        let _ = self.timer.as_ref().map(|timer| timer.start(0, 1));
        let _ = self.idle.as_ref().map(Idle::start);
        let _ = self.sent.as_ref().map(AsyncHandle::send);
        let _ = self.poll.as_ref().map(|poll| poll.start(PollEvents::WRITABLE));
        let _ = self.signal.as_ref().map(|signal| signal.start(SIGWINCH));
    }

    fn handles(&self) -> Vec<AnyHandle<'_>> {
        let mut all = Vec::new();
        all.extend(self.timer.as_ref().map(AnyHandle::Timer));
        all.extend(self.idle.as_ref().map(AnyHandle::Idle));
        all.extend(self.sent.as_ref().map(AnyHandle::AsyncHandle));
        all.extend(self.poll.as_ref().map(AnyHandle::Poll));
        all.extend(self.signal.as_ref().map(AnyHandle::Signal));
        all
    }

    /// Uses all that is left, whatever it answers.
    fn use_all(&self) {
        self.start();
        for any in self.handles() {
            // Never closed without being closing, never active when closing.
            assert!(handle::closing(&any) || !handle::closed(&any));
            assert!(!handle::closing(&any) || !handle::active(&any));
            let _ = handle::fileno(&any);
        }
        let _ = self.run.as_ref().map(Run::next);
        if let Some(event_loop) = &self.event_loop {
            assert!(event_loop.handles().len() <= self.handles().len(), "dropped handles are gone");
            let _ = event_loop.begin(RunMode::Nowait).map(|run| run.next());
        }
    }

    fn drop_one(&mut self, which: usize) {
        match which {
            0 => drop(self.event_loop.take()),
            1 => drop(self.descriptor.take()),
            2 => drop(self.timer.take()),
            3 => drop(self.idle.take()),
            4 => drop(self.sent.take()),
            5 => drop(self.poll.take()),
            _ => drop(self.signal.take()),
        }
    }
}

/// Calls `each` with every order of the things.
fn orders(left: &mut Vec<usize>, order: &mut Vec<usize>, each: &mut impl FnMut(&[usize])) {
    if left.is_empty() {
        return each(order);
    }
    for at in 0..left.len() {
        let thing = left.remove(at);
        order.push(thing);
        orders(left, order, each);
        order.pop();
        left.insert(at, thing);
    }
}

pub fn main() {
    let mut count = 0;
    for stage in
        [Stage::Made, Stage::Started, Stage::Running, Stage::Closing, Stage::Closed, Stage::LoopClosed]
    {
        orders(&mut (0..THINGS).collect(), &mut Vec::new(), &mut |order| {
            let mut things = Things::new(stage);
            for (at, which) in order.iter().enumerate() {
                // Before any of them, or after the last one with what is left.
                if at == count % (THINGS + 1) {
                    things.run = None;
                }
                things.drop_one(*which);
                // Not in every order: what is due is to be dropped as well.
                if (count + at) % 3 == 0 {
                    things.use_all();
                }
            }
            count += 1;
        });
    }
    println!("{count} orders");
}
