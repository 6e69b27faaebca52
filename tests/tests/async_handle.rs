//! Async handles: sent by the guest itself, and by threads of the host.

use uv_handles_host::{AsyncSender, SendError, UvCtx, UvCtxBuilder};
use uv_handles_tests::os::{read_exactly, stream_pair};
use uv_handles_tests::*;

foreach_async_handle!(assert_test_exists);

generate_tests! { check:
    async_handle_coalesces,
    async_handle_order,
    async_handle_made_inside_the_pass,
}

#[test]
fn async_handle_named() {
    let mut granted = None;
    let mut guest = spawn(ASYNC_HANDLE_NAMED, |uv| {
        let tick = uv.async_sender("tick");
        assert_eq!(tick.name(), "tick");
        assert_eq!(tick.send(), Err(SendError::NotOpen));
        // Granted twice: two senders of one async handle.
        granted = Some((uv.async_sender("go"), tick, uv.async_sender("tick")));
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

#[test]
fn async_handle_messages() {
    let mut granted = None;
    // No guest ever makes this handle.
    let mut other = UvCtx::builder();
    let answers = other.async_sender("answers");
    let mut guest = spawn(ASYNC_HANDLE_MESSAGES, |uv| {
        uv.limits(|limits| limits.mailbox_bytes = 100).async_connection("answers", &answers);
        granted = Some(uv.async_sender("jobs"));
    });
    let jobs = granted.unwrap();
    guest.expect("ready");
    jobs.send_message("one").unwrap();
    guest.expect("ENOTCONN: socket is not connected");
    guest.expect("1 messages");
    jobs.send().unwrap();
    guest.expect("0 messages");
    drop(other);
    jobs.send_message("two").unwrap();
    guest.expect("EPIPE: broken pipe");
    guest.expect("1 messages");
    assert_eq!(jobs.send_message([0; 101]), Err(SendError::TooLarge));
    jobs.send_message("end").unwrap();
    guest.expect("4 callbacks");
    guest.wait().succeeded();
    assert_eq!(jobs.send_message("late"), Err(SendError::Closed));
}

/// A chain of guests: each passes its messages on. All accepted messages arrive, in order.
#[test]
fn async_handle_chain() {
    const GUESTS: usize = 4;
    const MESSAGES: usize = 2_000;
    let mut last = UvCtx::builder();
    let mut next = last.async_sender("end of the chain");
    let mut guests = Vec::new();
    for _ in 0..GUESTS {
        let mut jobs = None;
        let mut guest = Guest::new(ASYNC_HANDLE_CHAIN).spawn(|uv| {
            uv.limits(|limits| limits.mailbox_messages = 16);
            uv.async_connection("next", &next);
            jobs = Some(uv.async_sender("jobs"));
        });
        guest.expect("ready");
        guests.push(guest);
        next = jobs.unwrap();
    }
    for number in 0..MESSAGES {
        // A full mailbox is an error, until the guest that is woken empties it.
        while let Err(error) = next.send_message(number.to_string()) {
            assert_eq!(error, SendError::Full);
            std::thread::yield_now();
        }
    }
    while next.send_message("end") == Err(SendError::Full) {
        std::thread::yield_now();
    }
    for mut guest in guests.into_iter().rev() {
        guest.expect(&format!("{MESSAGES} in order"));
        guest.wait().succeeded();
    }
}

/// Grants the async handles of these names.
fn wake_ups<const N: usize>(uv: &mut UvCtxBuilder, names: [&str; N]) -> [AsyncSender; N] {
    names.map(|name| uv.async_sender(name))
}

/// Runs the guest with a peer for its answers. First many turns, each of which would hang if its
/// send was lost; then many threads at once.
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
    let mut guest = spawn(ASYNC_HANDLE_WAKES_A_WAIT, |uv| granted = Some(uv.async_sender("wake-up")));
    guest.expect("waiting");
    granted.unwrap().send().unwrap();
    guest.wait().succeeded();
}

#[test]
fn async_handle_trap() {
    let mut granted = None;
    let mut guest = spawn(ASYNC_HANDLE_TRAP, |uv| granted = Some(uv.async_sender("wake-up")));
    let wake_up = granted.unwrap();
    guest.expect("ready");
    wake_up.send().unwrap();
    guest.wait().trapped();
    assert_eq!(wake_up.send(), Err(SendError::Closed));
}
