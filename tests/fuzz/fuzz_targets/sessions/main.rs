//! Fuzzes two components that share a context: each must see what it would see alone.
//!
//! Two components of one guest make calls, interleaved in any way, so that the runs of one nest in
//! callbacks of the other. Each knows its own loops, runs, keys, handles and pools only. Then each
//! makes the same calls alone, in a context of its own. The two traces of a component - the events and
//! the answers - must be equal. Time is virtual and timers are due at once, so the clock stands still.

#![no_main]

mod component;
#[path = "../resources.rs"]
mod resources;

use arbitrary::Arbitrary;
use component::{Call, Component};
use libfuzzer_sys::fuzz_target;
use std::os::unix::net::UnixStream;
use uv_handles_host::{UvCtx, UvCtxView};

fuzz_target!(|calls: Vec<(Who, Call)>| {
    let together = traces(&calls, |_| true);
    let first = traces(&calls, |who| who == Who::First);
    let second = traces(&calls, |who| who == Who::Second);
    compare(&together[0], &first[0]);
    compare(&together[1], &second[1]);
});

#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
enum Who {
    First,
    Second,
}

/// The traces of both components, of which one may make no calls.
fn traces(calls: &[(Who, Call)], takes_part: impl Fn(Who) -> bool) -> [Vec<String>; 2] {
    let mut builder = UvCtx::builder();
    // A dropped loop keeps its place while handles of it are left, and the limit is shared.
    builder.limits(|limits| limits.loops = 1_024).virtual_time(true);
    let mut peers = Vec::new();
    for name in ["first", "second"] {
        let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
        ours.set_nonblocking(true).expect("the socket is open");
        builder.descriptor(name, theirs).expect("the socket is open");
        peers.push(ours);
    }
    let mut ctx = builder.build();
    let mut components = [Component::new("first"), Component::new("second")];
    for &(who, ref call) in calls.iter().filter(|(who, _)| takes_part(*who)) {
        components[who as usize].make(&mut UvCtxView { ctx: &mut ctx }, &peers[who as usize], call);
    }
    components.map(|component| component.trace)
}

fn compare(together: &[String], alone: &[String]) {
    for (at, (together, alone)) in together.iter().zip(alone).enumerate() {
        assert_eq!(together, alone, "call {at}");
    }
    assert_eq!(together.len(), alone.len());
}
