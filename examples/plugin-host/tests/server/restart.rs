//! Plugins that end are restarted, as their manifests say. The unit tests of the policy check the
//! times.

use crate::harness::{Directory, Server};

#[test]
fn a_plugin_that_crashes_is_started_again_and_counts_on() {
    let directory = Directory::new();
    let manifest = "[config]\nevery = 1\nticks = 3\n[restart]\ninitial = 0.01\nmax = 0.05";
    directory.plugin("crashes", "flaky", manifest);
    let server = Server::start(directory).loaded();
    server.until("three restarts", |server| {
        (server.plugin("crashes")["restarts"].as_u64() >= Some(3)).then_some(())
    });
    for wait in ["0.01", "0.02", "0.04", "0.05"] {
        server.logged(&format!("it is started again in {wait} s"));
    }
    // Three ticks and the one that crashed, of each life.
    server.until("all of their timers", |server| {
        (server.plugin("crashes")["timers"].as_u64() >= Some(12)).then_some(())
    });
}

#[test]
fn a_message_that_crashes_a_plugin_does_not_cost_those_after_its_restart() {
    let directory = Directory::new();
    directory.plugin("fragile", "flaky", "restart = { initial = 0.01 }");
    let server = Server::start(directory).loaded();
    server.in_state("fragile", "running");
    assert_eq!(server.post("/plugins/fragile/message", b"crash").code, 202);
    server.logged("fragile: it panicked: a message asked for it");
    server.until("it is back", |server| (server.count(" fragile: it runs") == 2).then_some(()));
    server.until("a message is taken", |server| {
        (server.post("/plugins/fragile/message", b"welcome back").code == 202).then_some(())
    });
    server.logged("fragile says: message: welcome back");
}

#[test]
fn the_policy_decides_what_follows_an_end() {
    let directory = Directory::new();
    let parks = "[config]\nevery = 1\nticks = 0\nthen = \"park\"\n";
    directory.plugin("rests", "flaky", parks);
    directory.plugin("always", "flaky", &format!("{parks}[restart]\npolicy = \"always\"\ninitial = 0.01"));
    let server = Server::start(directory).loaded();
    server.in_state("rests", "parked");
    server.logged("always: nothing keeps it alive any more; it is started again in 0.01 s");
    server.until("two restarts", |server| {
        (server.plugin("always")["restarts"].as_u64() >= Some(2)).then_some(())
    });
    assert_eq!(server.plugin("rests")["restarts"], 0);
}
