//! Poll handles against the OS: TCP clients, pipes, files, and what their peers do to them. Windows has
//! sockets alone.

use std::io::Write;
use std::net::{Shutdown, UdpSocket};
use uv_handles_host::UvCtxBuilder;
use uv_handles_tests::os::{echo_clients, listener, read_exactly, reset, stream_pair, tcp_pair};
#[cfg(target_os = "linux")]
use uv_handles_tests::os::{epoll, epoll_add, make_fifo, raise_descriptor_limit, send_urgent};
use uv_handles_tests::*;

#[cfg(target_os = "linux")]
foreach_poll!(assert_test_exists);

generate_tests! { check_with_socket:
    poll_dropped_descriptor,
    poll_exists,
}

/// Runs a guest that needs one end of a connection only, in both configurations.
fn check_with_socket(guest: Case) {
    for configuration in [Configuration::Recommended, Configuration::Default] {
        let (_ours, theirs) = stream_pair();
        let output = Guest::new(guest).configuration(configuration).run(|uv| {
            uv.descriptor("socket", theirs).unwrap();
        });
        output.succeeded();
    }
}

fn tcp_echo(configuration: Configuration) {
    let (listener, address) = listener();
    let mut guest = Guest::new(POLL_TCP_ECHO).configuration(configuration).spawn(|uv| {
        uv.descriptor("clients", listener).unwrap();
    });
    assert_eq!(guest.line(), address.to_string());
    echo_clients(address);
    guest.wait().succeeded();
}

#[test]
fn poll_tcp_echo() {
    tcp_echo(Configuration::Recommended);
}

#[test]
fn clients_are_served_in_the_default_configuration_too() {
    tcp_echo(Configuration::Default);
}

generate_tests! { check_with_both_ends:
    poll_next_ready,
    poll_polled_once,
}

/// Runs a guest that has both ends of a connection.
fn check_with_both_ends(guest: Case) {
    let (one, other) = stream_pair();
    let output = run(guest, |uv| {
        uv.descriptor("one", one).unwrap().descriptor("other", other).unwrap();
    });
    output.succeeded();
}

#[cfg(target_os = "linux")]
#[test]
fn poll_fifo() {
    use std::os::unix::fs::OpenOptionsExt;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fifo");
    make_fifo(&path);
    let read = std::fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path).unwrap();
    let mut guest = spawn(POLL_FIFO, |uv| {
        uv.descriptor("fifo", read).unwrap();
    });
    guest.expect("ready");
    let bytes: Vec<u8> = (0..500_000u32).map(|n| n as u8).collect();
    let mut write = std::fs::File::create(&path).unwrap();
    bytes.chunks(7_777).for_each(|chunk| write.write_all(chunk).unwrap());
    drop(write);
    let sum: u64 = bytes.iter().copied().map(u64::from).sum();
    guest.expect(&format!("500000 bytes, sum {sum}"));
    guest.wait().succeeded();
}

#[test]
fn poll_unread_data() {
    let (mut ours, theirs) = stream_pair();
    ours.write_all(b"first").unwrap();
    let mut guest = spawn(POLL_UNREAD_DATA, |uv| {
        uv.descriptor("socket", theirs).unwrap();
    });
    guest.expect("send more");
    ours.write_all(b"second").unwrap();
    guest.expect("end");
    drop(ours);
    guest.wait().succeeded();
}

#[test]
fn poll_writable() {
    let (ours, theirs) = stream_pair();
    let mut guest = spawn(POLL_WRITABLE, |uv| {
        uv.descriptor("socket", theirs).unwrap();
    });
    let written = guest.line().parse().unwrap();
    assert!(read_exactly(&ours, written).iter().all(|&byte| byte == 7));
    guest.wait().succeeded();
}

#[test]
fn poll_disconnect_alone() {
    let (mut ours, theirs) = stream_pair();
    ours.write_all(b"unread").unwrap();
    let mut guest = spawn(POLL_DISCONNECT_ALONE, |uv| {
        uv.descriptor("socket", theirs).unwrap();
    });
    // New data does not wake it either.
    ours.write_all(b" data").unwrap();
    let line = guest.line();
    let iterations: u32 = line.strip_suffix(" iterations").unwrap().parse().unwrap();
    ours.shutdown(Shutdown::Write).unwrap();
    guest.expect("unread data");
    let output = guest.wait();
    let (cpu, wall) = (output.cpu, output.wall);
    output.succeeded();
    // It has waited for a second. If it had been spinning, in the guest or in the host, it would
    // have used a good part of that.
    assert!(iterations <= 10, "{iterations} iterations");
    assert!(cpu * 10 < wall, "{cpu:?} of {wall:?}");
}

#[test]
fn poll_reset() {
    let (ours, theirs) = tcp_pair();
    let mut guest = spawn(POLL_RESET, |uv| {
        uv.descriptor("socket", theirs).unwrap();
    });
    guest.expect("ready");
    reset(ours);
    guest.wait().succeeded();
}

#[cfg(target_os = "linux")]
#[test]
fn poll_reset_with_priority() {
    let (ours, theirs) = tcp_pair();
    let mut go = None;
    let mut guest = spawn(POLL_RESET_WITH_PRIORITY, |uv| {
        uv.descriptor("socket", theirs).unwrap();
        go = Some(uv.async_sender("go"));
    });
    guest.expect("ready");
    send_urgent(&ours, b'!');
    guest.expect("urgent");
    reset(ours);
    go.unwrap().send().unwrap();
    guest.wait().succeeded();
}

#[cfg(target_os = "linux")]
#[test]
fn poll_hang_up() {
    let (read, write) = std::io::pipe().unwrap();
    drop(write);
    let output = run(POLL_HANG_UP, |uv| {
        uv.descriptor("pipe", read).unwrap();
    });
    output.succeeded();
}

#[cfg(target_os = "linux")]
#[test]
fn poll_pipe_without_reader() {
    let (read, write) = std::io::pipe().unwrap();
    drop(read);
    let output = run(POLL_PIPE_WITHOUT_READER, |uv| {
        uv.descriptor("pipe", write).unwrap();
    });
    output.succeeded();
}

/// Not even an embedder that has left SIGPIPE as the OS sets it, which ends the process, gets one
/// because of a guest. (Rust programs ignore it from the start; this one does not in a process of
/// its own.)
#[cfg(target_os = "linux")]
#[test]
fn a_pipe_without_reader_raises_no_signal() {
    const IN_CHILD: &str = "UV_HANDLES_TEST_SIGPIPE";
    if std::env::var_os(IN_CHILD).is_some() {
        // SAFETY: the default action; no other test runs in this process.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        return poll_pipe_without_reader();
    }
    let child = own_process("a_pipe_without_reader_raises_no_signal").env(IN_CHILD, "1").output().unwrap();
    assert!(child.status.success(), "{}: {}", child.status, String::from_utf8_lossy(&child.stdout));
}

#[cfg(target_os = "linux")]
#[test]
fn poll_file() {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(b"content").unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    let null = std::fs::File::open("/dev/null").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let dir = std::fs::File::open(dir.path()).unwrap();
    let output = run(POLL_FILE, |uv| {
        uv.descriptor("file", file).unwrap().descriptor("null", null).unwrap();
        uv.descriptor("directory", dir).unwrap();
    });
    assert_eq!(output.succeeded(), ["file: content", "null: "]);
}

#[cfg(target_os = "linux")]
#[test]
fn poll_prioritized() {
    let (ours, theirs) = tcp_pair();
    let mut guest = spawn(POLL_PRIORITIZED, |uv| {
        uv.descriptor("socket", theirs).unwrap();
    });
    guest.expect("ready");
    send_urgent(&ours, b'!');
    guest.wait().succeeded();
}

#[test]
fn poll_collected_event() {
    let pairs = [(); 3].map(|()| stream_pair());
    let output = run(POLL_COLLECTED_EVENT, |uv| {
        for (name, (_, theirs)) in ["one", "two", "three"].into_iter().zip(&pairs) {
            uv.descriptor(name, theirs.try_clone().unwrap()).unwrap();
        }
    });
    output.succeeded();
}

/// Both ends of five TCP connections, in one guest.
fn transfer(arg: &str) {
    let pairs = [(); 5].map(|()| tcp_pair());
    let output = Guest::new(POLL_BOTH_DIRECTIONS).arg(arg).run(|uv| {
        uv.virtual_time(true);
        for (n, (a, b)) in pairs.into_iter().enumerate() {
            uv.descriptor(format!("a{n}"), a).unwrap().descriptor(format!("b{n}"), b).unwrap();
        }
    });
    output.succeeded();
}

#[test]
fn poll_both_directions() {
    transfer("both-ways");
}

#[test]
fn poll_one_direction() {
    transfer("one-way");
}

/// Sockets under the names `socket0` and so on, which are always writable.
fn sockets(uv: &mut UvCtxBuilder, count: usize) {
    for n in 0..count {
        uv.descriptor(format!("socket{n}"), UdpSocket::bind("127.0.0.1:0").unwrap()).unwrap();
    }
}

#[test]
fn poll_closed_at_once() {
    run(POLL_CLOSED_AT_ONCE, |uv| sockets(uv, 64)).succeeded();
}

#[cfg(target_os = "linux")]
#[test]
fn poll_closed_by_the_first_of_many() {
    // More than the 1,024 events that are taken from the OS at once, where a process may open as
    // many sockets; the other tests need some, too.
    let count = 1_500.min(raise_descriptor_limit() / 4);
    let output = Guest::new(POLL_CLOSED_BY_THE_FIRST_OF_MANY).arg(count.to_string()).run(|uv| {
        uv.limits(|limits| limits.descriptors = 2_000);
        sockets(uv, count);
    });
    output.succeeded();
}

#[cfg(target_os = "linux")]
#[test]
fn poll_urgent_beside_normal_data() {
    let (mut ours, theirs) = tcp_pair();
    let mut guest = spawn(POLL_URGENT_BESIDE_NORMAL_DATA, |uv| {
        uv.descriptor("socket", theirs).unwrap();
    });
    guest.expect("urgent");
    send_urgent(&ours, b'!');
    assert_eq!(read_exactly(&ours, 3), b"foo");
    guest.expect("normal");
    ours.write_all(b"world").unwrap();
    guest.wait().succeeded();
}

#[cfg(target_os = "linux")]
#[test]
fn poll_nested_poller() {
    use std::os::fd::AsFd;

    let (mut ours, watched) = stream_pair();
    let poller = epoll();
    let shared = poller.try_clone().unwrap();
    let mut guest = spawn(POLL_NESTED_POLLER, |uv| {
        uv.descriptor("poller", poller).unwrap();
    });
    guest.expect("waiting");
    epoll_add(shared.as_fd(), watched.as_fd());
    ours.write_all(b"now").unwrap();
    guest.wait().succeeded();
}

#[test]
fn poll_closed_descriptor_sends_no_event() {
    let (mut ours, shared) = stream_pair();
    let (_quiet, quiet) = stream_pair();
    ours.write_all(b"unread").unwrap();
    // As a child process would have it.
    let elsewhere = shared.try_clone().unwrap();
    let mut guest = spawn(POLL_CLOSED_DESCRIPTOR_SENDS_NO_EVENT, |uv| {
        uv.descriptor("shared", shared).unwrap().descriptor("quiet", quiet).unwrap();
    });
    guest.expect("closed");
    ours.write_all(b"more").unwrap();
    drop(ours);
    let output = guest.wait();
    let (cpu, wall) = (output.cpu, output.wall);
    output.succeeded();
    // Nor in the host, which would otherwise poll it again and again.
    assert!(cpu * 3 < wall, "{cpu:?} of {wall:?}");
    drop(elsewhere);
}
