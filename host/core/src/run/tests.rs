//! Unit tests of [`Loops::step`](crate::Loops::step).

use super::*;
use crate::testing::*;

#[test]
fn a_loop_without_handles_ends_at_once() {
    let mut world = World::new();
    world.time = 5;
    for mode in [RunMode::Default, RunMode::Once, RunMode::NoWait] {
        assert!(!world.run(mode));
    }
    assert!(world.polls.is_empty());
    assert_eq!(world.loops.now(world.main), Ok(5), "the time is refreshed");
}

#[test]
fn the_phases_of_an_iteration_have_libuvs_order() {
    let mut world = World::new();
    let main = world.main;
    let (timer, closing, wake_up) = (world.timer(), world.timer(), world.async_handle());
    let check = world.loops.make_check(main, 0).unwrap();
    let prepare = world.loops.make_prepare(main, 0).unwrap();
    let idle = world.started_idle();
    world.loops.timer_start(timer, 0, 0).unwrap();
    world.loops.watcher_start(check).unwrap();
    world.loops.watcher_start(prepare).unwrap();
    world.loops.async_send(wake_up).unwrap();
    world.loops.close(closing);
    world.run(RunMode::NoWait);
    assert_eq!(
        world.trace(),
        [call(idle), call(prepare), call(wake_up), call(check), close(closing), call(timer)]
    );
}

#[test]
fn only_mode_default_calls_due_timers_before_the_first_iteration() {
    for (mode, timer_first) in [(RunMode::Default, true), (RunMode::Once, false), (RunMode::NoWait, false)] {
        let mut world = World::new();
        let timer = world.timer();
        let idle = world.started_idle();
        world.loops.timer_start(timer, 0, 0).unwrap();
        world.on(call(idle), move |world| world.loops.watcher_stop(idle));
        world.run(mode);
        let expected = if timer_first { [call(timer), call(idle)] } else { [call(idle), call(timer)] };
        assert_eq!(world.trace(), expected, "{mode:?}");
    }
}

#[test]
fn a_full_iteration_follows_the_initial_timers_even_if_the_loop_is_no_longer_alive() {
    let mut world = World::new();
    let timer = world.timer();
    let idle = world.started_idle();
    world.loops.dereference(idle).unwrap();
    world.loops.timer_start(timer, 0, 0).unwrap();
    assert!(!world.run(RunMode::Default));
    assert_eq!(world.trace(), [call(timer), call(idle)]);
}

#[test]
fn mode_once_waits_for_a_timer_and_calls_it_in_the_same_run() {
    let mut world = World::new();
    let timer = world.timer();
    world.loops.timer_start(timer, 40, 0).unwrap();
    assert!(!world.run(RunMode::Once));
    assert_eq!(world.trace(), [call(timer)]);
    assert_eq!(world.polls, [Some(40)]);
}

#[test]
fn mode_once_does_not_wait_if_an_idle_handle_was_active_when_the_iteration_began() {
    let mut world = World::new();
    let timer = world.timer();
    let idle = world.started_idle();
    world.loops.timer_start(timer, 40, 0).unwrap();
    world.on(call(idle), move |world| world.loops.watcher_stop(idle));
    assert!(world.run(RunMode::Once));
    assert_eq!(world.polls, [Some(0)]);
}

#[test]
fn mode_nowait_does_not_wait() {
    let mut world = World::new();
    let timer = world.timer();
    world.loops.timer_start(timer, 40, 0).unwrap();
    assert!(world.run(RunMode::NoWait));
    assert_eq!(world.polls, [Some(0)]);
}

#[test]
fn the_poll_waits_for_the_next_timer_in_whole_milliseconds() {
    let mut world = World::new();
    let timer = world.timer();
    world.loops.timer_start(timer, 7, 0).unwrap();
    world.loops.update_time(world.main, 3).unwrap();
    assert_eq!(world.loops.poll_timeout(world.main), Ok(Some(4)));
    world.loops.update_time(world.main, 30).unwrap();
    assert_eq!(world.loops.poll_timeout(world.main), Ok(Some(0)));
}

#[test]
fn without_a_timer_the_poll_waits_without_limit() {
    let mut world = World::new();
    world.async_handle();
    assert_eq!(world.loops.poll_timeout(world.main), Ok(None));
    world.loops.stop(world.main);
    assert_eq!(world.loops.poll_timeout(world.main), Ok(Some(0)));
}

#[test]
fn an_unreferenced_timer_does_not_make_the_poll_wait() {
    let mut world = World::new();
    let timer = world.timer();
    world.loops.timer_start(timer, 7, 0).unwrap();
    world.loops.dereference(timer).unwrap();
    assert_eq!(world.loops.poll_timeout(world.main), Ok(Some(0)));
}

#[test]
fn stop_ends_the_run_after_the_iteration() {
    let mut world = World::new();
    let main = world.main;
    let idle = world.started_idle();
    let check = world.loops.make_check(main, 0).unwrap();
    world.loops.watcher_start(check).unwrap();
    world.on(call(idle), move |world| world.loops.stop(main));
    assert!(world.run(RunMode::Default));
    assert_eq!(world.trace(), [call(idle), call(check)]);
    assert_eq!(world.polls, [Some(0)], "a poll after a stop does not block");
}

#[test]
fn a_stop_before_the_run_ends_it_without_an_iteration() {
    for mode in [RunMode::Default, RunMode::Once, RunMode::NoWait] {
        let mut world = World::new();
        let timer = world.timer();
        world.loops.timer_start(timer, 0, 0).unwrap();
        world.loops.stop(world.main);
        assert!(world.run(mode), "still alive");
        assert!(world.trace().is_empty());
        world.run(mode);
        assert_eq!(world.trace(), [call(timer)], "the stop flag is cleared");
    }
}

#[test]
fn a_nested_run_is_refused_unless_it_is_of_another_loop() {
    let mut world = World::new();
    let (main, other) = (world.main, world.loops.make_loop(0).unwrap());
    let timer = world.timer();
    let inner = world.loops.make_timer(other, 0).unwrap();
    world.loops.timer_start(timer, 0, 0).unwrap();
    world.loops.timer_start(inner, 0, 0).unwrap();
    world.on(call(timer), move |world| {
        assert_eq!(world.loops.begin(main, RunMode::NoWait), Err(Error::Busy));
        world.main = other;
        assert!(!world.run(RunMode::Default));
        world.main = main;
    });
    world.run(RunMode::Default);
    assert_eq!(world.trace(), [call(timer), call(inner)]);
}

#[test]
fn the_time_is_constant_between_refreshes() {
    let mut world = World::new();
    let idle = world.started_idle();
    let check = world.loops.make_check(world.main, 0).unwrap();
    world.loops.watcher_start(check).unwrap();
    world.on(call(idle), |world| {
        world.time += 10;
        assert_eq!(world.loops.now(world.main), Ok(0));
    });
    world.on(call(check), |world| assert_eq!(world.loops.now(world.main), Ok(10)));
    world.run(RunMode::NoWait);
    assert_eq!(world.trace(), [call(idle), call(check)]);
}

#[test]
fn a_step_without_a_run_is_refused() {
    let mut world = World::new();
    let main = world.main;
    assert_eq!(world.loops.step(main, &mut || 0), Err(Error::Invalid));
    world.loops.polled(main, 5);
    assert_eq!(world.loops.now(main), Ok(0));
}

#[test]
fn a_loop_released_in_its_callback_ends_its_run() {
    let mut world = World::new();
    let main = world.main;
    let (timer, released) = (world.timer(), world.timer());
    world.loops.timer_start(timer, 0, 0).unwrap();
    world.loops.begin(main, RunMode::Once).unwrap();
    assert_eq!(world.loops.step(main, &mut || 0), Ok(Step::Poll { timeout: Some(0) }));
    world.loops.polled(main, 0);
    assert!(matches!(world.loops.step(main, &mut || 0), Ok(Step::Deliver(_))));
    world.loops.release(timer);
    world.loops.release_loop(main);
    assert_eq!(world.loops.step(main, &mut || 0), Err(Error::LoopClosed));
    world.loops.release(released);
    assert!(world.loops.loops.is_empty() && world.loops.handles.is_empty());
}
