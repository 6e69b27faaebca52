//! Hostile guests: each attacks beside a well-behaved guest in the same process, which must not
//! notice. `hostile_random.rs` and `hostile_leaks.rs` go on; docs/security.md says what is
//! promised.

use uv_handles_tests::*;

foreach_hostile!(assert_test_exists);

/// The well-behaved guest, with no other guest beside it.
#[test]
fn hostile_neighbour() {
    beside(|| {});
}

#[test]
fn hostile_floods() {
    beside(attacks::floods);
}

#[test]
fn a_flood_of_signal_handles_is_given_up_in_one_call() {
    beside(attacks::flood_of_signals);
}

#[test]
fn a_flood_beyond_wasmtimes_limit_is_a_trap() {
    beside(attacks::flood_beyond);
}

#[test]
fn hostile_tokens() {
    beside(attacks::tokens);
}

#[test]
fn hostile_stale() {
    beside(attacks::stale);
}

#[test]
fn hostile_forged() {
    beside(attacks::forged);
}

#[test]
fn hostile_spins() {
    beside(attacks::spins);
}

#[test]
fn hostile_memory() {
    beside(attacks::memory);
}

#[test]
fn hostile_writes() {
    beside(attacks::writes);
}

#[test]
fn hostile_sends() {
    beside(attacks::sends);
}

#[test]
fn hostile_timers() {
    beside(attacks::timers);
}

#[test]
fn hostile_reads() {
    beside(attacks::reads);
}

#[test]
fn hostile_drops() {
    beside(attacks::drops);
}

#[test]
fn hostile_runs() {
    beside(attacks::runs);
}

#[test]
fn hostile_names() {
    beside(attacks::names);
}

/// The time of each call that a guest can make long is in proportion to its handles or arguments:
/// eight times as many take eight times as long. Were it their square, it would be 64 times.
#[test]
fn hostile_one_call() {
    let lines = run(HOSTILE_ONE_CALL, |uv| {
        uv.signal(attacks::NEVER_SENT);
    });
    for line in lines.succeeded() {
        let mut words = line.split(' ');
        let number =
            |words: &mut std::str::Split<'_, char>| -> f64 { words.next().unwrap().parse().unwrap() };
        let call = words.next().unwrap();
        let (few, many) = (number(&mut words), number(&mut words));
        assert!(many < few * 8.0 * 4.0, "{call}: {few} ns, and {many} ns with eight times as many handles");
    }
}
