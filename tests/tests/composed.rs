//! Guests that are composed with the adapter, on a runtime that has WASI and no `uv:handles`. The
//! guests of other suites run composed as well, where the harness's `check` runs them.

use std::io::{Read, Seek, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use uv_handles_tests::os::{
    accept, connect, echo_clients, listener, read_exactly, refusing_address, reset, serve_two_connections,
};
use uv_handles_tests::plain::{Plain, Time, composed_whole};
use uv_handles_tests::*;

foreach_composed!(assert_test_exists);

fn plain(guest: impl Into<Case>) -> Plain {
    Plain::composed(guest)
}

#[test]
fn the_examples_run_unchanged() {
    let begin = Instant::now();
    assert_eq!(plain("first-timer").run(), ["half a second later"]);
    assert!(begin.elapsed() >= Duration::from_millis(500));
    let ticker = plain("ticker").env("TICKER_PERIOD_MS", "100").env("TICKER_TICKS", "3");
    assert_eq!(ticker.run(), ["tick 1", "tick 2", "tick 3"]);
}

#[test]
fn a_day_takes_no_time_if_the_runtimes_clock_is_virtual() {
    assert_eq!(plain("first-timer").time(Time::Virtual).run(), ["half a second later"]);
    plain(TIMER_A_DAY_PASSES_AT_ONCE).time(Time::Virtual).run();
}

/// A program imports as much as the most demanding of its cases.
#[test]
fn programs_that_use_what_the_adapter_has_lose_nothing() {
    for guest in [TIMER_ONCE, WATCHERS_ORDER, STATUS_CODES, TRANSFER_ECHO, POLL_TCP_ECHO, UV_RUN_STDIN] {
        assert!(composed_whole(guest).is_some(), "{guest}");
    }
}

#[test]
fn composed_refused() {
    assert!(composed_whole(COMPOSED_REFUSED).is_none(), "it uses everything, so it misses something");
    assert_eq!(plain(COMPOSED_REFUSED).time(Time::Virtual).run(), ["refused as documented"]);
}

#[test]
fn clients_are_served() {
    let mut guest = plain(POLL_TCP_ECHO).grants("--listen clients=127.0.0.1:0").spawn();
    echo_clients(guest.line().parse().unwrap());
    guest.wait().succeeded();
}

#[test]
fn clients_are_served_with_ipv6_too() {
    // Not every machine has it.
    if TcpListener::bind("[::1]:0").is_ok() {
        let mut guest = plain(POLL_TCP_ECHO).grants("--listen clients=[::1]:0").spawn();
        let address = guest.line();
        assert!(address.starts_with("[::1]:"), "{address}");
        echo_clients(address.parse().unwrap());
        guest.wait().succeeded();
    }
}

#[test]
fn a_connection_is_made_again_at_each_open() {
    let (listener, address) = listener();
    let mut guest = plain(DESCRIPTORS_RECONNECTS).grants(&format!("--connect peer={address}")).spawn();
    serve_two_connections(listener);
    ["one", "two", "ECONNREFUSED"].iter().for_each(|line| guest.expect(line));
    guest.wait().succeeded();
}

#[test]
fn standard_input_is_read_from_a_pipe_as_it_comes() {
    let (read, mut write) = std::io::pipe().unwrap();
    let mut guest = plain(UV_RUN_STDIN).grants("--stdin").stdin_pipe(read).spawn();
    guest.expect("ready");
    let bytes: Vec<u8> = (0..500_000u32).map(|n| n as u8).collect();
    bytes.chunks(7_777).for_each(|chunk| write.write_all(chunk).unwrap());
    drop(write);
    let sum: u64 = bytes.iter().copied().map(u64::from).sum();
    guest.expect(&format!("500000 bytes, sum {sum}"));
    guest.wait().succeeded();
}

#[test]
fn standard_input_is_read_from_a_file() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&[3; 200_000]).unwrap();
    file.rewind().unwrap();
    let guest = plain(UV_RUN_STDIN).grants("--stdin").stdin_file(file);
    assert_eq!(guest.run(), ["ready", "200000 bytes, sum 600000"]);
    let empty = plain(UV_RUN_STDIN).grants("--stdin");
    assert_eq!(empty.run(), ["ready", "0 bytes, sum 0"]);
}

#[test]
fn line_stats_filters_a_pipe() {
    let (read, mut write) = std::io::pipe().unwrap();
    let mut guest = plain("line-stats").grants("--stdin").stdin_pipe(read).spawn();
    write.write_all(b"the cat\nthe dog\n").unwrap();
    drop(write);
    let mut line = guest.line();
    while !line.contains("2 lines, 16 bytes, 0 clients, words: the 2") {
        line = guest.line();
    }
    guest.wait().succeeded();
}

#[test]
fn composed_opens() {
    let (listener, address) = listener();
    let (_kept, refuses) = refusing_address();
    let port = address.port();
    let grants = format!(
        "--stdin --stdout-as=out --stderr-as err --listen=here=127.0.0.1:0\n\t--listen taken={address} \
         --connect back=localhost:{port} --connect away={refuses} --connect nowhere=name.invalid:1"
    );
    let names = ["stdin", "out", "err", "here", "taken", "back", "away", "Here", "", "stdout"];
    let guest = names.iter().fold(plain(COMPOSED_OPENS), |guest, name| guest.arg(name));
    let first = ["stdin", "out", "err", "here"].map(|name| format!("{name}: open")).into_iter();
    let refused = |name: &str| match name {
        "taken" => format!("{name}: EADDRINUSE"),
        "away" => format!("{name}: ECONNREFUSED"),
        _ => format!("{name}: ENOENT"),
    };
    let rest = ["taken", "back", "away", "Here", "", "stdout"];
    let open = |name: &str| if name == "back" { "back: open".into() } else { refused(name) };
    let busy = |name: &str| match name {
        "stdin" | "out" | "err" | "here" | "back" => format!("{name}: EBUSY"),
        _ => refused(name),
    };
    let round: Vec<String> = first.chain(rest.map(open)).chain(names.map(busy)).collect();
    let output = guest.grants(&grants).spawn().wait();
    assert_eq!(output.stderr, "");
    assert_eq!(output.succeeded(), [round.clone(), round].concat(), "the same once it was all dropped");
    drop(listener);
}

/// The output of a guest that opens `stdin` with these grants, and the adapter's messages.
fn opened_with(grants: &str) -> (String, String) {
    let mut output = plain(COMPOSED_OPENS).arg("stdin").grants(grants).spawn().wait();
    let stderr = std::mem::take(&mut output.stderr);
    (output.succeeded().swap_remove(0), stderr)
}

#[test]
fn grants_that_can_not_be_read_are_refused_with_one_sentence() {
    let bad = [
        ("stdin", "\"stdin\" is none of --stdin, --stdout-as, --stderr-as, --listen and --connect"),
        ("--stdin=x", "--stdin takes no value"),
        ("--stdin --stdin", "\"stdin\" is granted twice"),
        ("--stdin --listen", "--listen needs a value, NAME=ADDRESS:PORT"),
        ("--stdin --stdout-as=", "the name after --stdout-as is empty"),
        ("--stdin --listen 127.0.0.1:80", "--listen 127.0.0.1:80 has no name"),
        ("--stdin --listen a=localhost:80", "\"localhost:80\" is no ADDRESS:PORT"),
        ("--stdin --listen =127.0.0.1:80", "the name after --listen is empty"),
        ("--stdin --connect a=host", "\"host\" is no HOST:PORT"),
        ("--stdin --connect a=host:0", "\"host:0\" is no HOST:PORT"),
        ("--stdin --connect a=:80", "\":80\" is no HOST:PORT"),
        ("--stdin --udp a=127.0.0.1:0", "there is no --udp in a composed component"),
        ("--stdin --signal int", "\"--signal\" is none of"),
    ];
    for (grants, why) in bad {
        let (line, stderr) = opened_with(grants);
        assert_eq!(line, "stdin: EINVAL", "{grants}");
        assert_eq!(stderr.lines().count(), 1, "{grants}: {stderr:?}");
        assert!(stderr.starts_with("uv:handles: UV_HANDLES_GRANTS is of no use"), "{stderr:?}");
        assert!(stderr.contains(why), "{grants}: {stderr:?}");
    }
    for nothing in ["", " \n"] {
        assert_eq!(opened_with(nothing), ("stdin: ENOENT".into(), String::new()));
    }
    assert_eq!(plain(COMPOSED_OPENS).arg("stdin").run(), ["stdin: ENOENT"; 4], "no variable at all");
}

#[test]
fn a_runtime_that_refuses_sockets_is_an_error_value() {
    let grants = "--listen here=127.0.0.1:0 --connect back=127.0.0.1:1 --connect name=localhost:1";
    let guest = plain(COMPOSED_OPENS).arg("here").arg("back").arg("name").grants(grants).without_network();
    let lines = guest.run();
    assert_eq!(lines.len(), 12);
    for (line, name) in lines.iter().zip(["here", "back", "name"].iter().cycle()) {
        assert!(line.starts_with(name) && line.contains(": E"), "{lines:?}");
    }
}

#[test]
fn composed_descriptors() {
    let (read, mut write) = std::io::pipe().unwrap();
    write.write_all(b"first").unwrap();
    let grants = "--listen listener=127.0.0.1:0 --stdin --stdout-as out";
    let mut guest = plain(COMPOSED_DESCRIPTORS).grants(grants).stdin_pipe(read).spawn();
    let mut client = connect(guest.line().parse().unwrap());
    guest.expect(&client.local_addr().unwrap().to_string());
    assert_eq!(read_exactly(&client, 5), b"hello");
    client.write_all(b"answer").unwrap();
    guest.expect("end");
    client.shutdown(Shutdown::Write).unwrap();
    guest.expect("through a descriptor");
    guest.wait().succeeded();
    drop(write);
}

/// Accepts connections and sends some bytes to each, until the test's process ends.
fn talkative_peer() -> SocketAddr {
    let (listener, address) = listener();
    std::thread::spawn(move || {
        let mut streams: Vec<TcpStream> = Vec::new();
        for mut stream in listener.incoming().map_while(Result::ok) {
            stream.write_all(b"something").unwrap();
            streams.push(stream);
        }
    });
    address
}

#[test]
fn composed_drops() {
    let guest = plain(COMPOSED_DROPS).grants(&format!("--connect peer={} --stdin", talkative_peer()));
    assert_eq!(guest.run(), ["dropped"]);
}

#[test]
fn composed_dropped_unsent() {
    let [(unread, unread_address), (other, other_address)] = [listener(), listener()];
    let grants = format!("--connect socket={unread_address} --connect other={other_address}");
    let mut guest = plain(COMPOSED_DROPPED_UNSENT).grants(&grants).spawn();
    let (mut unread, other) = (accept(&unread), accept(&other));
    // The bytes arrive although the peer has not read anything yet.
    let written: usize = guest.line().parse().unwrap();
    let mut received = Vec::new();
    unread.read_to_end(&mut received).unwrap();
    assert!(received.len() == written && received.iter().all(|&byte| byte == 7), "{}", received.len());
    drop(other);
    guest.wait().succeeded();
}

/// Starts a guest of another suite whose descriptor `socket` is a connection to the test, and
/// returns the other end.
fn with_socket(guest: Case) -> (Running, TcpStream) {
    let (listener, address) = listener();
    let guest = plain(guest).grants(&format!("--connect socket={address}")).spawn();
    (guest, accept(&listener))
}

#[test]
fn unread_data_calls_back_in_every_iteration() {
    let (listener, address) = listener();
    let mut guest = plain(POLL_UNREAD_DATA).grants(&format!("--connect socket={address}")).spawn();
    let mut ours = accept(&listener);
    ours.write_all(b"first").unwrap();
    guest.expect("send more");
    ours.write_all(b"second").unwrap();
    guest.expect("end");
    drop(ours);
    guest.wait().succeeded();
}

#[test]
fn writing_goes_on_when_the_peer_has_read() {
    let (mut guest, ours) = with_socket(POLL_WRITABLE);
    let written = guest.line().parse().unwrap();
    assert!(read_exactly(&ours, written).iter().all(|&byte| byte == 7));
    guest.wait().succeeded();
}

#[test]
fn a_disconnect_alone_is_waited_for_without_spinning() {
    let (mut guest, mut ours) = with_socket(POLL_DISCONNECT_ALONE);
    ours.write_all(b"unread data").unwrap();
    guest.line();
    ours.shutdown(Shutdown::Write).unwrap();
    guest.expect("unread data");
    let output = guest.wait();
    let (cpu, wall) = (output.cpu, output.wall);
    output.succeeded();
    assert!(cpu * 5 < wall, "{cpu:?} of {wall:?}");
}

#[test]
fn a_reset_stops_the_handle() {
    let (mut guest, ours) = with_socket(POLL_RESET);
    guest.expect("ready");
    reset(ours);
    guest.wait().succeeded();
}

#[test]
fn the_rules_of_poll_handles_are_the_same() {
    for guest in [POLL_EXISTS, POLL_DROPPED_DESCRIPTOR] {
        let grants = format!("--connect socket={}", quiet_peer());
        plain(guest).grants(&grants).run();
    }
    let peer = quiet_peer();
    let grants = ["one", "two", "three"].map(|name| format!("--connect {name}={peer}")).join(" ");
    plain(POLL_COLLECTED_EVENT).grants(&grants).run();
    let grants: Vec<String> = (0..64).map(|n| format!("--connect socket{n}={peer}")).collect();
    plain(POLL_CLOSED_AT_ONCE).grants(&grants.join(" ")).run();
}

/// Accepts connections, keeps them and sends nothing, until the test's process ends.
fn quiet_peer() -> SocketAddr {
    let (listener, address) = listener();
    std::thread::spawn(move || {
        let streams: Vec<_> = listener.incoming().map_while(Result::ok).collect();
        drop(streams);
    });
    address
}

/// Forwards all bytes between pairs of connections, and the end.
fn relay(listener: TcpListener, pairs: usize) {
    for _ in 0..pairs {
        let (one, other) = (accept(&listener), accept(&listener));
        let ways = [(one.try_clone().unwrap(), other.try_clone().unwrap()), (other, one)];
        for (mut from, mut to) in ways {
            std::thread::spawn(move || {
                // The guest closes when it has everything, which may be before it has sent this
                // end.
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
        }
    }
}

#[test]
fn both_ends_of_many_connections_are_served() {
    for arg in ["both-ways", "one-way"] {
        let (listener, address) = listener();
        let grants: Vec<String> =
            (0..5).flat_map(|n| ["a", "b"].map(|side| format!("--connect {side}{n}={address}"))).collect();
        let guest = plain(POLL_BOTH_DIRECTIONS).arg(arg).grants(&grants.join(" ")).spawn();
        relay(listener, 5);
        guest.wait().succeeded();
    }
}

#[test]
#[cfg(unix)]
fn random_calls_do_not_trap() {
    for seed in 0..12 {
        let counts = random_calls_composed(seed, 3_000);
        assert!(!counts.is_empty(), "it has ended before it was through, with seed {seed}");
    }
}
