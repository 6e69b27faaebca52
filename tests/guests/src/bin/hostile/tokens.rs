//! Gives all its handles the same tokens, and uses the tokens of handles that are gone again. The host
//! gives them no meaning: as many events come as handles are due, with the token of each.

use uv::batch::BatchStep;
use uv::event_loop::Loop;
use uv::handle::{AnyHandle, close};
use uv::timer::Timer;
use uv::types::{Event, EventKind, RunMode};
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::{events, go_on_batched};

const HANDLES: usize = 1_000;

fn timers(event_loop: &Loop, token: u64) -> Vec<Timer> {
    let timer = || {
        let timer = Timer::create(event_loop, token).unwrap();
        timer.start(0, 0).unwrap();
        timer
    };
    std::iter::repeat_with(timer).take(HANDLES).collect()
}

fn run(event_loop: &Loop) -> Vec<Event> {
    let mut all = Vec::new();
    let run = event_loop.begin(RunMode::Nowait).unwrap();
    loop {
        match go_on_batched(&run, u32::MAX).unwrap() {
            BatchStep::Finished(_) => return all,
            step => all.extend(events(step)),
        }
    }
}

fn assert_all(events: &[Event], token: u64, closed: bool) {
    assert_eq!(events.len(), HANDLES);
    for event in events {
        let as_expected = match event.kind {
            EventKind::Callback => !closed,
            EventKind::Closed => closed,
            _ => false,
        };
        assert!(event.token == token && as_expected, "{event:?}");
    }
}

pub fn main() {
    for token in [0, 1, u64::MAX] {
        let (one, two) = (Loop::create().unwrap(), Loop::create().unwrap());
        let first = timers(&one, token);
        // The same token on another loop, due as well: not this loop's events.
        let others = timers(&two, token);
        assert_eq!(one.handles(), vec![token; HANDLES]);
        assert_all(&run(&one), token, false);

        // Gone while they are due: nothing is called, and the token is as good as new.
        first.iter().for_each(|timer| timer.start(0, 0).unwrap());
        drop(first);
        assert!(run(&one).is_empty());
        let again = timers(&one, token);
        assert_all(&run(&one), token, false);

        // The same token for a handle of another kind, while its first one waits to be closed.
        again.iter().for_each(|timer| close(&AnyHandle::Timer(timer)));
        let idle = uv::idle::Idle::create(&one, token).unwrap();
        assert_all(&run(&one), token, true);
        assert_eq!(one.handles(), [token]);
        drop((one, idle));
        assert_all(&run(&two), token, false);
        drop((again, others));
    }
}
