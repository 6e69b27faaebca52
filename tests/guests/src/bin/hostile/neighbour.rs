//! Behaves well while others attack: a timer of 10 ms, a socket whose bytes it sends back, wake-ups,
//! a signal that never comes, prepare and check handles. Every event must be one that it expects, in the
//! order of a loop's phases, and no tick may come early. Its tokens are small numbers, which all
//! guests have in common.

use std::ops::ControlFlow;
use uv::types::{Error, ErrorCode, Event, EventKind, PollEvents, RunMode};
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::go_on;

const PERIOD: u64 = 10;
const SIGIO: i32 = 29;

const PREPARE: u64 = 1;
const WAKE: u64 = 2;
const STOP: u64 = 3;
const PEER: u64 = 4;
const CHECK: u64 = 5;
const TIMER: u64 = 6;
const SIGNAL: u64 = 7;

/// The place of an event's phase in an iteration. Anything but what this guest expects is wrong.
fn phase(event: &Event) -> u32 {
    match (event.token, &event.kind) {
        (PREPARE, EventKind::Callback) => 0,
        (WAKE | STOP, EventKind::Callback) => 1,
        (PEER, EventKind::Poll(Ok(PollEvents::READABLE))) => 2,
        (CHECK, EventKind::Callback) => 3,
        (TIMER, EventKind::Callback) => 4,
        _ => panic!("a wrong event: {event:?}"),
    }
}

pub fn main() {
    let event_loop = uv::event_loop::Loop::create().unwrap();
    let prepare = uv::prepare::Prepare::create(&event_loop, PREPARE).unwrap();
    prepare.start().unwrap();
    let check = uv::check::Check::create(&event_loop, CHECK).unwrap();
    check.start().unwrap();
    let _wake = uv::async_handle::AsyncHandle::create_named(&event_loop, WAKE, "wake").unwrap();
    let _stop = uv::async_handle::AsyncHandle::create_named(&event_loop, STOP, "stop").unwrap();
    let descriptor = uv::descriptors::Descriptor::open("peer").unwrap();
    let peer = uv::poll::Poll::create(&event_loop, PEER, &descriptor).unwrap();
    peer.start(PollEvents::READABLE).unwrap();
    let signal = uv::signal::Signal::create(&event_loop, SIGNAL).unwrap();
    signal.start(SIGIO).unwrap();
    let timer = uv::timer::Timer::create(&event_loop, TIMER).unwrap();
    timer.start(PERIOD, PERIOD).unwrap();

    let (mut ticks, mut bytes, mut last_phase) = (0, 0u8, 4);
    let mut last_tick = event_loop.now().unwrap();
    let run = event_loop.begin(RunMode::Default).unwrap();
    while let ControlFlow::Continue(event) = go_on(&run).unwrap() {
        let phase = phase(&event);
        let in_order = if phase == 0 { last_phase >= 3 } else { phase >= last_phase };
        assert!(in_order, "phase {phase} after {last_phase}");
        last_phase = phase;
        match event.token {
            TIMER => {
                let now = event_loop.now().unwrap();
                assert!(now >= last_tick + PERIOD, "a tick at {now}, the last one was at {last_tick}");
                last_tick = now;
                if ticks == 0 {
                    println!("ready");
                }
                ticks += 1;
            }
            PEER => match descriptor.read(100) {
                Ok(read) => {
                    for byte in &read {
                        bytes = bytes.wrapping_add(1);
                        assert_eq!(*byte, bytes, "bytes are lost, or somebody else's");
                    }
                    assert!(!read.is_empty(), "the peer is still there");
                    assert_eq!(descriptor.write(&read).unwrap(), read.len() as u32);
                }
                // Readiness may be spurious.
                Err(Error::Code(ErrorCode::Eagain)) => {}
                Err(error) => panic!("the peer cannot be read: {error:?}"),
            },
            STOP => event_loop.stop(),
            _ => {}
        }
    }
    println!("{ticks}");
}
