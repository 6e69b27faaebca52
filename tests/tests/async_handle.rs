//! Async handles: sent by the guest itself, and by threads of the host.

use uv_handles_host::{AsyncSender, SendError, UvCtxBuilder};
use uv_handles_tests::os::{read_exactly, stream_pair};
use uv_handles_tests::*;

foreach_async_handle!(assert_test_exists);

#[test]
fn async_handle_coalesces() {
    check(ASYNC_HANDLE_COALESCES);
}

#[test]
fn async_handle_order() {
    check(ASYNC_HANDLE_ORDER);
}

#[test]
fn async_handle_made_inside_the_pass() {
    check(ASYNC_HANDLE_MADE_INSIDE_THE_PASS);
}

#[test]
fn async_handle_named() {
    let mut granted = None;
    let mut guest = spawn(ASYNC_HANDLE_NAMED, |uv| {
        let tick = uv.wake_up("tick");
        assert_eq!(tick.name(), "tick");
        assert_eq!(tick.send(), Err(SendError::NotOpen));
        // Granted twice: two senders of one wake-up.
        granted = Some((uv.wake_up("go"), tick, uv.wake_up("tick")));
    });
    let (go, tick, also_tick) = granted.unwrap();
    guest.expect("not open");
    assert_eq!(tick.send(), Err(SendError::NotOpen));
    assert!(!tick.is_open());
    go.send().unwrap();

    guest.expect("open");
    assert!(tick.is_open() && also_tick.is_open());
    go.send().unwrap();

    guest.expect("closed");
    assert_eq!(tick.send(), Err(SendError::Closed));
    assert!(!tick.is_open());
    go.send().unwrap();

    guest.expect("open again");
    also_tick.send().unwrap();
    guest.expect("tick");
    go.send().unwrap();
    guest.wait().succeeded();
    assert_eq!((tick.send(), go.send()), (Err(SendError::Closed), Err(SendError::Closed)));
}

/// Grants the wake-ups of these names.
fn wake_ups<const N: usize>(uv: &mut UvCtxBuilder, names: [&str; N]) -> [AsyncSender; N] {
    names.map(|name| uv.wake_up(name))
}

/// Runs the guest with a peer for its answers. Many turns, each of which would never end if its
/// wake-up was lost; then many threads at once.
fn sent_by_threads(configuration: Configuration, virtual_time: bool) {
    const TURNS: usize = 2_000;
    const THREADS: usize = 4;
    const SENDS: usize = 5_000;
    let (mut answers, theirs) = stream_pair();
    let mut granted = None;
    let mut guest = Guest::new(ASYNC_HANDLE_SENT_BY_THREADS).configuration(configuration).spawn(|uv| {
        uv.virtual_time(virtual_time).descriptor("answers", theirs).unwrap();
        granted = Some(wake_ups(uv, ["ping", "burst", "end"]));
    });
    let [ping, burst, end] = granted.unwrap();
    guest.expect("ready");
    for _ in 0..TURNS {
        ping.send().unwrap();
        assert_eq!(read_exactly(&mut answers, 1), b"!");
    }
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..SENDS).for_each(|_| burst.send().unwrap()));
        }
    });
    end.send().unwrap();
    let lines = guest.wait().succeeded();
    let called: usize = lines[1].parse().unwrap();
    assert!((1..=THREADS * SENDS).contains(&called), "{called} callbacks");
}

#[test]
fn async_handle_sent_by_threads() {
    sent_by_threads(Configuration::Recommended, false);
}

#[test]
fn a_guest_is_woken_in_the_default_configuration_too() {
    sent_by_threads(Configuration::Default, false);
}

#[test]
fn in_virtual_time_a_wait_without_a_timer_is_a_real_one() {
    sent_by_threads(Configuration::Recommended, true);
}

#[test]
fn async_handle_wakes_a_wait() {
    let mut granted = None;
    let mut guest = spawn(ASYNC_HANDLE_WAKES_A_WAIT, |uv| granted = Some(uv.wake_up("wake-up")));
    guest.expect("waiting");
    granted.unwrap().send().unwrap();
    guest.wait().succeeded();
}

#[test]
fn async_handle_trap() {
    let mut granted = None;
    let mut guest = spawn(ASYNC_HANDLE_TRAP, |uv| granted = Some(uv.wake_up("wake-up")));
    let wake_up = granted.unwrap();
    guest.expect("ready");
    wake_up.send().unwrap();
    guest.wait().trapped();
    assert_eq!(wake_up.send(), Err(SendError::Closed));
}
