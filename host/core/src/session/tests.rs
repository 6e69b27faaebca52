//! Sessions released midway, and sessions nested in callbacks.

use super::{Delivery, Driver, RunId, token_pair};
use crate::testing::World;
use crate::{
    Change, Error, HandleId, LoopId, Operation, PollEvents, PoolId, Readiness, RunMode, SourceId, TimerChange,
};

/// More callbacks than any test has.
const ALL: u32 = 100;

/// A token that does not fit into half of a pair.
const LONG: u64 = 1 << 40;

const HUP: i32 = 1;

/// The number of callbacks per call.
#[derive(Clone, Copy, Debug)]
enum Calls {
    OneByOne,
    InBatches,
}

impl Calls {
    const BOTH: [Calls; 2] = [Calls::OneByOne, Calls::InBatches];

    fn max(self) -> u32 {
        match self {
            Calls::OneByOne => 1,
            Calls::InBatches => ALL,
        }
    }
}

/// Returns the tokens of a delivery's callbacks, `None` for the end of the run.
fn tokens(delivery: Delivery) -> Option<Vec<u64>> {
    Some(match delivery {
        Delivery::Event(event) => vec![event.token],
        Delivery::Callbacks(tokens) | Delivery::Closes(tokens) => tokens,
        Delivery::Polls(ready) => ready.into_iter().map(|(token, _)| token).collect(),
        Delivery::Wait => panic!("no callback is due"),
        Delivery::Finished { .. } => return None,
    })
}

impl World {
    fn session(&mut self, mode: RunMode) -> RunId {
        self.loops.begin_run(self.main, mode).unwrap()
    }

    /// Makes a timer that is due at once.
    fn due_timer(&mut self, owner: LoopId, token: u64) -> HandleId {
        let timer = self.loops.make_timer(owner, token).unwrap();
        self.loops.timer_start(timer, 0, 0).unwrap();
        timer
    }

    fn due_timers(&mut self, owner: LoopId, tokens: std::ops::Range<u64>) -> Vec<HandleId> {
        tokens.map(|token| self.due_timer(owner, token)).collect()
    }

    /// Drives a run to its end and returns the tokens of its callbacks.
    fn rest(&mut self, run: RunId, calls: Calls) -> Vec<u64> {
        let mut called = Vec::new();
        while let Some(tokens) = tokens(self.next(run, calls.max()).unwrap()) {
            called.extend(tokens);
        }
        called
    }

    /// Drives a run to its callback number `count`, and reports that position.
    fn drive(&mut self, run: RunId, calls: Calls, count: usize) -> Vec<u64> {
        let mut called = Vec::new();
        while called.len() < count {
            let tokens = tokens(self.next(run, calls.max()).unwrap()).expect("another callback is due");
            let fits = tokens.len().min(count - called.len());
            called.extend(&tokens[..fits]);
            self.advance(Some(run), fits - 1, None, std::iter::empty());
        }
        called
    }
}

/// Checks that a released run and its successor together make the callbacks of one run, in the same
/// order, wherever the first is released.
fn check_released_everywhere(mode: RunMode, count: usize, calls: Calls, make: impl Fn(&mut World)) {
    let undisturbed = {
        let mut world = World::new();
        make(&mut world);
        let run = world.session(mode);
        world.rest(run, calls)
    };
    assert_eq!(undisturbed, (0..count as u64).collect::<Vec<_>>(), "{calls:?}");
    for released_after in 0..=count {
        let mut world = World::new();
        make(&mut world);
        let run = world.session(mode);
        let mut called = world.drive(run, calls, released_after);
        world.loops.release_run(run);
        let run = world.session(mode);
        called.extend(world.rest(run, calls));
        assert_eq!(called, undisturbed, "{calls:?}, released after {released_after}");
        world.loops.release_run(run);
        let run = world.session(mode);
        assert!(
            world.rest(run, calls).is_empty(),
            "{calls:?}, released after {released_after}: called twice"
        );
    }
}

/// Makes three handles due in each phase from the poll on, except the check phase. Each is called
/// once.
fn make_one_shots(world: &mut World) {
    let main = world.main;
    for token in 0..3 {
        let handle = world.loops.make_async(main, token).unwrap();
        world.loops.async_send(handle).unwrap();
    }
    for token in 3..6 {
        let poll = world.loops.make_poll(main, token, SourceId(token)).unwrap();
        world.loops.poll_start(poll, PollEvents::READABLE).unwrap();
        world.loops.poll_ready(poll, Readiness::READABLE);
    }
    for token in 6..9 {
        let signal = world.loops.make_signal(main, token).unwrap();
        world.loops.signal_start(signal, HUP, true, |_| true).unwrap();
    }
    world.loops.signal_delivered(main, HUP);
    // The handle closed last is called first.
    for token in (9..12).rev() {
        let closing = world.loops.make_timer(main, token).unwrap();
        world.loops.close(closing);
    }
    world.due_timers(main, 12..15);
}

#[test]
fn a_run_released_in_any_phase_leaves_the_rest_to_the_next_one() {
    for calls in Calls::BOTH {
        check_released_everywhere(RunMode::NoWait, 15, calls, make_one_shots);
    }
}

#[test]
fn a_run_released_in_the_timers_before_its_first_iteration_leaves_the_rest_to_the_next_one() {
    for calls in Calls::BOTH {
        check_released_everywhere(RunMode::Default, 7, calls, |world| {
            world.due_timers(world.main, 0..7);
        });
    }
}

#[test]
fn idle_prepare_and_check_handles_that_were_not_called_are_called_first_by_the_next_run() {
    let make: [fn(&mut World, u64) -> HandleId; 3] = [
        |world, token| world.loops.make_idle(world.main, token).unwrap(),
        |world, token| world.loops.make_prepare(world.main, token).unwrap(),
        |world, token| world.loops.make_check(world.main, token).unwrap(),
    ];
    for (kind, make) in make.into_iter().enumerate() {
        for calls in Calls::BOTH {
            for released_after in 0..=4 {
                let mut world = World::new();
                let timer = world.loops.make_timer(world.main, LONG).unwrap();
                world.loops.timer_start(timer, 1000, 0).unwrap();
                // The handle started last is called first.
                for token in (0..4).rev() {
                    let watcher = make(&mut world, token);
                    world.loops.watcher_start(watcher).unwrap();
                }
                let run = world.session(RunMode::NoWait);
                let called = world.drive(run, calls, released_after);
                assert!(called.iter().copied().eq(0..released_after as u64), "kind {kind}: {called:?}");
                world.loops.release_run(run);
                for _ in 0..2 {
                    let run = world.session(RunMode::NoWait);
                    let next: Vec<u64> = (released_after as u64..4).chain(called.iter().copied()).collect();
                    assert_eq!(
                        world.rest(run, calls),
                        next,
                        "kind {kind}, {calls:?}: once, and in this order"
                    );
                    world.loops.release_run(run);
                }
            }
        }
    }
}

#[test]
fn async_handles_that_were_not_called_end_the_wait_of_the_next_run() {
    for calls in Calls::BOTH {
        let mut world = World::new();
        for token in 0..3 {
            let handle = world.loops.make_async(world.main, token).unwrap();
            world.loops.async_send(handle).unwrap();
        }
        for expected in [vec![0], vec![1], vec![2]] {
            let run = world.session(RunMode::Default);
            assert_eq!(world.drive(run, calls, 1), expected);
            world.loops.release_run(run);
        }
        let run = world.session(RunMode::Default);
        assert_eq!(world.next(run, ALL), Ok(Delivery::Wait), "each was called once");
    }
}

#[test]
fn a_run_released_while_it_waits_leaves_the_wait_to_the_next_one() {
    let mut world = World::new();
    let timer = world.loops.make_timer(world.main, 7).unwrap();
    world.loops.timer_start(timer, 40, 0).unwrap();
    for _ in 0..2 {
        let run = world.session(RunMode::Default);
        assert_eq!(world.next(run, ALL), Ok(Delivery::Wait));
        world.loops.release_run(run);
    }
    world.time = 40;
    let run = world.session(RunMode::Default);
    assert_eq!(world.rest(run, Calls::InBatches), [7]);
}

#[test]
fn a_batch_without_a_position_counts_as_called_up_to_its_first_callback_when_its_run_is_released() {
    let mut world = World::new();
    world.due_timers(world.main, 0..5);
    let run = world.session(RunMode::Default);
    assert_eq!(world.next(run, ALL), Ok(Delivery::Callbacks(vec![0, 1, 2, 3, 4])));
    world.loops.release_run(run);
    let run = world.session(RunMode::Default);
    assert_eq!(world.rest(run, Calls::InBatches), [1, 2, 3, 4]);
}

#[test]
fn a_released_run_clears_the_stop_flag_and_ends_the_callback_in_progress() {
    let mut world = World::new();
    let main = world.main;
    let closing = world.loops.make_timer(main, 0).unwrap();
    world.due_timer(main, 1);
    world.loops.close(closing);
    let run = world.session(RunMode::NoWait);
    assert_eq!(world.drive(run, Calls::OneByOne, 1), [0]);
    assert!(!world.loops.handle_closed(closing), "the close callback is running");
    world.loops.stop(main);
    world.loops.release_run(run);
    assert!(world.loops.handle_closed(closing));
    let run = world.session(RunMode::Default);
    assert_eq!(world.rest(run, Calls::OneByOne), [1], "the run was not stopped");
}

#[test]
fn a_timer_that_was_put_back_can_be_stopped_started_and_closed() {
    let mut world = World::new();
    let main = world.main;
    let timers = world.due_timers(main, 0..5);
    let run = world.session(RunMode::Default);
    world.drive(run, Calls::InBatches, 1);
    world.loops.release_run(run);
    assert!(timers[1..].iter().all(|&timer| world.loops.active(timer)));
    assert_eq!(world.loops.timer_due_in(timers[1]), Ok(0));
    world.loops.timer_stop(timers[1]);
    world.loops.timer_start(timers[2], 0, 0).unwrap();
    world.loops.close(timers[3]);
    let run = world.session(RunMode::Default);
    assert_eq!(world.rest(run, Calls::InBatches), [4, 2, 3], "two timers, and a close callback");
}

/// Makes a second loop with five due timers, with the tokens 10 to 14.
fn inner_loop(world: &mut World) -> LoopId {
    let inner = world.loops.make_loop(world.time).unwrap();
    world.due_timers(inner, 10..15);
    inner
}

/// Runs the inner loop to its end, in batches and with its own operations.
fn run_inner(world: &mut World, inner: LoopId) {
    let run = world.loops.begin_run(inner, RunMode::Default).unwrap();
    assert_eq!(world.next(run, ALL), Ok(Delivery::Callbacks(vec![10, 11, 12, 13, 14])));
    let close_own = |position| Change { position, operation: Operation::CloseOwn };
    world.advance(Some(run), 2, None, [close_own(0), close_own(2)].into_iter());
    assert_eq!(world.rest(run, Calls::InBatches), [13, 14, 12, 10]);
    assert_eq!(world.next(run, 1), Err(Error::Invalid), "the run has finished");
    world.loops.release_run(run);
}

#[test]
fn a_run_inside_a_batch_of_another_loop_leaves_that_batch_alone() {
    for calls in Calls::BOTH {
        let mut world = World::new();
        let main = world.main;
        let timers = world.due_timers(main, 0..5);
        let inner = inner_loop(&mut world);
        let outer = world.session(RunMode::Default);
        assert_eq!(world.next(outer, ALL), Ok(Delivery::Callbacks(vec![0, 1, 2, 3, 4])));
        // Inside the first callback: another loop's run does not withdraw the rest of the batch.
        let run = world.loops.begin_run(inner, RunMode::Default).unwrap();
        assert_eq!(world.rest(run, calls), [10, 11, 12, 13, 14]);
        world.loops.release_run(run);
        // Inside the fourth callback.
        world.advance(Some(outer), 3, None, std::iter::empty());
        assert_eq!(world.next(outer, ALL).map(tokens), Ok(Some(vec![4])), "the rest is delivered again");
        assert!(timers.iter().all(|&timer| !world.loops.active(timer)));
        assert!(world.rest(outer, Calls::InBatches).is_empty());
    }
}

/// Makes a pool of the main loop with one closed timer.
fn pool(world: &mut World) -> (PoolId, HandleId) {
    let pool = world.loops.make_pool().unwrap();
    let timers = world.loops.allocate_timers(pool, world.main, 1).unwrap();
    (pool, timers[0])
}

#[test]
fn changes_of_a_batch_interrupted_by_another_loops_run_apply_at_their_positions() {
    let mut world = World::new();
    let main = world.main;
    let timers = world.due_timers(main, 0..5);
    let (pool, pooled) = pool(&mut world);
    let inner = inner_loop(&mut world);
    let outer = world.session(RunMode::Default);
    assert_eq!(world.next(outer, ALL), Ok(Delivery::Callbacks(vec![0, 1, 2, 3, 4])));
    // The second and fourth callbacks close their handles, and the third opens a timer. The other
    // loop runs before these operations are flushed.
    let open = TimerChange::OpenAndStart { token: 9, timeout: 0, repeat: 0 };
    let changes = [
        Change { position: 1, operation: Operation::CloseOwn },
        Change { position: 2, operation: Operation::Timer(pooled.index(), open) },
        Change { position: 3, operation: Operation::CloseOwn },
    ];
    run_inner(&mut world, inner);
    assert!(world.loops.handle_closed(pooled), "nothing was flushed");
    world.advance(Some(outer), usize::MAX, Some(pool), changes.into_iter());
    let closing: Vec<bool> = timers.iter().map(|&timer| world.loops.handle_closing(timer)).collect();
    assert_eq!(closing, [false, true, false, true, false]);
    assert_eq!(world.rest(outer, Calls::InBatches), [3, 1, 9], "two close callbacks, and the timer");
}

#[test]
fn a_stashed_event_waits_for_its_own_run_while_another_loop_runs() {
    let mut world = World::new();
    let main = world.main;
    world.due_timer(main, LONG);
    let inner = inner_loop(&mut world);
    let outer = world.session(RunMode::Default);
    assert_eq!(world.next_pair(outer), Ok(None), "the token is too long for a pair");
    let run = world.loops.begin_run(inner, RunMode::Default).unwrap();
    assert_eq!(world.next_pair(run), Ok(None), "five callbacks are not a pair");
    assert_eq!(world.next_pair(outer), Ok(None), "the stashed event comes first");
    assert_eq!(world.next(run, ALL), Ok(Delivery::Callbacks(vec![10, 11, 12, 13, 14])));
    assert_eq!(world.next(outer, ALL).map(tokens), Ok(Some(vec![LONG])));
    assert!(world.rest(run, Calls::InBatches).is_empty());
    assert!(world.rest(outer, Calls::InBatches).is_empty());
}

#[test]
fn pairs_of_two_loops_are_independent() {
    let mut world = World::new();
    let main = world.main;
    world.due_timers(main, 0..2);
    let inner = world.loops.make_loop(0).unwrap();
    world.due_timers(inner, 10..12);
    let outer = world.session(RunMode::Default);
    assert_eq!(world.next_pair(outer), Ok(Some(token_pair(0, Some(1)))));
    let run = world.loops.begin_run(inner, RunMode::Default).unwrap();
    assert_eq!(world.next_pair(run), Ok(Some(token_pair(10, Some(11)))));
    // The second callback of each loop is reported, so it is not withdrawn.
    for session in [run, outer] {
        world.advance(Some(session), 1, None, std::iter::empty());
        assert_eq!(world.next_pair(session), Ok(None));
        assert_eq!(world.next(session, ALL), Ok(Delivery::Finished { alive: false }));
    }
}

#[test]
fn releasing_an_inner_run_does_not_affect_the_outer_run() {
    let mut world = World::new();
    let main = world.main;
    world.due_timers(main, 0..5);
    let inner = inner_loop(&mut world);
    let outer = world.session(RunMode::Default);
    assert_eq!(world.drive(outer, Calls::InBatches, 2), [0, 1]);
    let run = world.loops.begin_run(inner, RunMode::Default).unwrap();
    assert_eq!(world.loops.begin_run(main, RunMode::NoWait), Err(Error::Busy));
    assert_eq!(world.drive(run, Calls::InBatches, 2), [10, 11]);
    world.loops.release_run(run);
    assert_eq!(world.rest(outer, Calls::InBatches), [2, 3, 4]);
    let run = world.loops.begin_run(inner, RunMode::Default).unwrap();
    assert_eq!(world.rest(run, Calls::InBatches), [12, 13, 14]);
}
