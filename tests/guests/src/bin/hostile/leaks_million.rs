//! Opens and closes, as often as its second argument says, what its first one names. Before, it does so a
//! few times, and says when the host can be measured: it goes on when the test sends "go".

use std::ops::ControlFlow;
use uv::async_handle::AsyncHandle;
use uv::event_loop::Loop;
use uv::handle::{AnyHandle, close};
use uv::poll::Poll;
use uv::types::{PollEvents, RunMode};
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::go_on;

const SIGWINCH: i32 = 28;
const WARM_UP: u64 = 20_000;

fn run(event_loop: &Loop) {
    let run = event_loop.begin(RunMode::Nowait).unwrap();
    while let ControlFlow::Continue(_) = go_on(&run).unwrap() {}
}

/// Opens a handle of each kind in turn, starts it, and closes it; some of them in the orderly way.
fn handle(at: u64, event_loop: &Loop, socket: &uv::descriptors::Descriptor) {
    let orderly = at.is_multiple_of(3);
    let end = |any: AnyHandle| {
        if orderly {
            close(&any);
            run(event_loop);
        }
    };
    match at % 8 {
        0 => {
            let timer = uv::timer::Timer::create(event_loop, at).unwrap();
            timer.start(at, 1).unwrap();
            end(AnyHandle::Timer(&timer));
        }
        1 => {
            let idle = uv::idle::Idle::create(event_loop, at).unwrap();
            idle.start().unwrap();
            end(AnyHandle::Idle(&idle));
        }
        2 => {
            let prepare = uv::prepare::Prepare::create(event_loop, at).unwrap();
            prepare.start().unwrap();
            end(AnyHandle::Prepare(&prepare));
        }
        3 => {
            let check = uv::check::Check::create(event_loop, at).unwrap();
            check.start().unwrap();
            end(AnyHandle::Check(&check));
        }
        4 => {
            let sent = AsyncHandle::create(event_loop, at).unwrap();
            sent.send().unwrap();
            end(AnyHandle::AsyncHandle(&sent));
        }
        5 => {
            let named = AsyncHandle::create_named(event_loop, at, "wake").unwrap();
            named.send().unwrap();
            end(AnyHandle::AsyncHandle(&named));
        }
        6 => {
            let poll = Poll::create(event_loop, at, socket).unwrap();
            poll.start(PollEvents::WRITABLE).unwrap();
            end(AnyHandle::Poll(&poll));
        }
        _ => {
            let signal = uv::signal::Signal::create(event_loop, at).unwrap();
            signal.start(SIGWINCH).unwrap();
            end(AnyHandle::Signal(&signal));
        }
    }
}

/// Opens a descriptor and drops it, sometimes under an active poll handle.
fn descriptor(at: u64, event_loop: &Loop) {
    let descriptor = uv::descriptors::Descriptor::open("socket").unwrap();
    if at.is_multiple_of(16) {
        let poll = Poll::create(event_loop, at, &descriptor).unwrap();
        poll.start(PollEvents::WRITABLE).unwrap();
        run(event_loop);
        drop(descriptor);
        run(event_loop);
    }
}

/// Opens a loop and drops it, sometimes with a handle that has made it wait, and sometimes before or after
/// a run that has not finished.
fn a_loop(at: u64) {
    let event_loop = Loop::create().unwrap();
    if at.is_multiple_of(16) {
        let _named = AsyncHandle::create_named(&event_loop, at, "wake").unwrap();
        run(&event_loop);
        drop(event_loop);
    } else if at.is_multiple_of(4) {
        let run = event_loop.begin(RunMode::Default).unwrap();
        uv::batch::key(&run);
        if at.is_multiple_of(8) {
            drop(event_loop);
        }
    }
}

pub fn main() {
    let mut args = uv_handles_test_guests::args();
    let what = args.next().expect("what to open");
    let count: u64 = args.next().expect("how often").parse().expect("a number");
    let event_loop = Loop::create().unwrap();
    let go = AsyncHandle::create_named(&event_loop, 0, "go").unwrap();
    // The loop's poller is made now, and not during the measurement.
    let socket = uv::descriptors::Descriptor::open("socket").unwrap();
    drop(Poll::create(&event_loop, 0, &socket).unwrap());
    run(&event_loop);
    drop(socket);
    let measured = |when: &str| {
        println!("{when}");
        let run = event_loop.begin(RunMode::Once).unwrap();
        while let ControlFlow::Continue(_) = go_on(&run).unwrap() {}
    };
    let repeat = |times: u64| {
        // Of the handles alone: the grant is opened anew by the others.
        let socket = (what == "handles").then(|| uv::descriptors::Descriptor::open("socket").unwrap());
        for at in 0..times {
            match &socket {
                Some(socket) => handle(at, &event_loop, socket),
                None if what == "descriptors" => descriptor(at, &event_loop),
                None => a_loop(at),
            }
        }
    };
    // WASI's side of the host opens what it needs for printing now, and not while it is measured.
    println!("ready");
    repeat(WARM_UP);
    measured("warm");
    repeat(count);
    measured("done");
    drop(go);
}
