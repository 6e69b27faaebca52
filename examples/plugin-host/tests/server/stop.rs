//! SIGTERM: all plugins are stopped, by themselves if they can, and the exit code says whether they could.

use crate::harness::{Directory, Server};

#[test]
fn plugins_that_stop_by_themselves_make_a_good_end() {
    let directory = Directory::new();
    for name in ["one", "two"] {
        directory.plugin(name, "flaky", "");
    }
    directory.plugin("dead", "flaky", "nonsense");
    let mut server = Server::with(directory, &["--grace=120"]).loaded();
    for name in ["one", "two"] {
        server.in_state(name, "running");
    }
    server.signal("TERM");
    assert_eq!(server.exit_code(), 0);
    server.logged("one: it has stopped");
    server.logged("two: it has stopped");
}

#[test]
fn one_that_does_not_stop_is_interrupted() {
    let directory = Directory::new();
    directory.plugin("stubborn", "flaky", "config = { stop = \"ignore\" }");
    directory.plugin("spins", "flaky", "config = { every = 1, ticks = 0, then = \"spin\" }");
    directory.plugin("good", "flaky", "");
    let mut server = Server::with(directory, &["--grace=0.2"]).loaded();
    for name in ["stubborn", "spins", "good"] {
        server.in_state(name, "running");
    }
    server.logged("spins: it runs");
    server.signal("INT");
    assert_eq!(server.exit_code(), 1);
    server.logged("stubborn: it did not stop within 0.2 s, and was interrupted");
    server.logged("good: it has stopped");
}

/// Also while the start of a plugin hangs.
#[test]
fn a_start_in_progress_does_not_hold_up_the_end() {
    let directory = Directory::new();
    directory.plugin("never", "flaky", "limits = { start = 3600 }\nconfig = { init = \"spin\" }");
    let mut server = Server::with(directory, &["--grace=120"]).loaded();
    server.in_state("never", "starting");
    server.signal("TERM");
    assert_eq!(server.exit_code(), 0);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let directory = Directory::new();
    directory.plugin("stubborn", "flaky", "config = { stop = \"ignore\" }");
    let mut server = Server::with(directory, &["--grace=3600"]).loaded();
    server.in_state("stubborn", "running");
    server.signal("TERM");
    server.logged("the plugins are stopped");
    server.signal("TERM");
    assert_eq!(server.exit_code(), 1);
}
