//! Descriptors: the grants, and the operations on them.

// Modes of descriptors, pipes and Unix sockets.
#![cfg(unix)]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use uv_handles_host::UvCtx;
use uv_handles_tests::os::{
    connect, flags, listener, serve_two_connections, set_nonblocking, stream_pair, tcp_pair,
};
use uv_handles_tests::*;

foreach_descriptors!(assert_test_exists);

#[test]
fn descriptors_grants() {
    let (one, two) = UnixStream::pair().unwrap();
    // Another owner uses the same file description, which is in blocking mode.
    let shared = one.try_clone().unwrap();
    let before = flags(shared.as_fd());
    assert_eq!(before & libc::O_NONBLOCK, 0);
    let denied = Arc::new(Mutex::new(Vec::new()));
    let mut guest = spawn(DESCRIPTORS_GRANTS, |uv| {
        let denied = denied.clone();
        uv.on_denied(move |what| denied.lock().unwrap().push(format!("{what:?}")));
        let never_opened = std::fs::File::open("/dev/null").unwrap();
        uv.descriptor("one", never_opened).unwrap();
        uv.descriptor("one", one).unwrap().descriptor("two", two).unwrap();
    });
    guest.expect("opened");
    guest.wait().succeeded();
    assert_eq!(flags(shared.as_fd()), before, "the mode is put back");
    let asked = ["other", "", "/etc/passwd", "One", "one "].map(|name| format!("Descriptor({name:?})"));
    assert_eq!(*denied.lock().unwrap(), asked);
}

#[test]
fn descriptors_reconnects() {
    let (listener, address) = listener();
    let mut guest = spawn(DESCRIPTORS_RECONNECTS, |uv| {
        uv.descriptor_with("peer", move || Ok(TcpStream::connect(address)?.into()));
    });
    serve_two_connections(listener);
    ["one", "two", "ECONNREFUSED"].iter().for_each(|line| guest.expect(line));
    guest.wait().succeeded();
}

/// Grants these descriptors to a context.
fn granted<'a>(fds: impl IntoIterator<Item = (&'a str, BorrowedFd<'a>)>) -> UvCtx {
    let mut uv = UvCtx::builder();
    for (name, fd) in fds {
        uv.descriptor(name, fd.try_clone_to_owned().unwrap()).unwrap();
    }
    uv.build()
}

/// No call blocks, although others have the same descriptors: another guest that ends, another
/// grant of the same guest, and the embedder, which changes the mode.
#[test]
fn descriptors_accepts() {
    let (listener, _) = listener();
    let (_ours, stream) = stream_pair();
    let (pipe, _write) = std::io::pipe().unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let fds = [
        ("one", listener.as_fd()),
        ("two", listener.as_fd()),
        ("stream", stream.as_fd()),
        ("pipe", pipe.as_fd()),
        ("datagrams", datagrams.as_fd()),
    ];
    let make_blocking = || fds.iter().for_each(|(_, fd)| set_nonblocking(*fd, false));
    let (mut go, mut other) = (None, None);
    let mut guest = spawn(DESCRIPTORS_ACCEPTS, |uv| {
        go = Some(uv.async_sender("go"));
        other = Some(granted(fds));
        for (name, fd) in fds {
            // The first grant is replaced.
            for _ in 0..2 {
                uv.descriptor(name, fd.try_clone_to_owned().unwrap()).unwrap();
            }
        }
    });
    let go = go.unwrap();
    guest.expect("nothing there 0");
    drop(other);
    go.send().unwrap();
    guest.expect("nothing there 1");
    make_blocking();
    go.send().unwrap();
    guest.expect("nothing there 2");
    go.send().unwrap();
    guest.wait().succeeded();
    for (name, fd) in fds {
        assert_eq!(flags(fd) & libc::O_NONBLOCK, 0, "{name}: the mode is as before");
    }
}

/// Another guest has used the listener before, and ends first.
#[test]
fn a_guest_that_ends_leaves_others_that_share_its_listener_alone() {
    let (listener, address) = listener();
    let (_ours, stream) = stream_pair();
    let (pipe, _write) = std::io::pipe().unwrap();
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    let fds = [
        ("one", listener.as_fd()),
        ("two", listener.as_fd()),
        ("stream", stream.as_fd()),
        ("pipe", pipe.as_fd()),
        ("datagrams", datagrams.as_fd()),
    ];
    let start = || {
        let mut go = None;
        let guest = spawn(DESCRIPTORS_ACCEPTS, |uv| {
            go = Some(uv.async_sender("go"));
            for (name, fd) in fds {
                uv.descriptor(name, fd.try_clone_to_owned().unwrap()).unwrap();
            }
        });
        (guest, go.unwrap())
    };
    let (mut one, mut two) = (start(), start());
    one.0.expect("nothing there 0");
    two.0.expect("nothing there 0");
    for line in ["nothing there 1", "nothing there 2"] {
        one.1.send().unwrap();
        one.0.expect(line);
    }
    one.1.send().unwrap();
    one.0.wait().succeeded();
    two.1.send().unwrap();
    two.0.expect("nothing there 1");
    assert_ne!(flags(listener.as_fd()) & libc::O_NONBLOCK, 0);
    two.1.send().unwrap();
    two.0.expect("nothing there 2");
    two.1.send().unwrap();
    two.0.wait().succeeded();
    assert_eq!(flags(listener.as_fd()) & libc::O_NONBLOCK, 0, "the last one puts the mode back");
    let _client = connect(address);
    listener.accept().unwrap();
}

#[test]
fn descriptors_limit() {
    let (listener, address) = listener();
    let (_ours, theirs) = stream_pair();
    // Connected before the guest asks: the OS accepts them, the guest finds them waiting.
    let _clients = [(); 3].map(|()| connect(address));
    let output = run(DESCRIPTORS_LIMIT, |uv| {
        uv.limits(|limits| limits.descriptors = 3);
        uv.descriptor("clients", listener).unwrap().descriptor("other", theirs).unwrap();
    });
    output.succeeded();
}

#[test]
fn descriptors_buffer_sizes() {
    let (_tcp, tcp) = tcp_pair();
    let (_unix, unix) = stream_pair();
    let (pipe, _write) = std::io::pipe().unwrap();
    let output = run(DESCRIPTORS_BUFFER_SIZES, |uv| {
        uv.descriptor("tcp", tcp).unwrap().descriptor("unix", unix).unwrap();
        uv.descriptor("listener", listener().0).unwrap().descriptor("pipe", pipe).unwrap();
        uv.descriptor("udp", UdpSocket::bind("127.0.0.1:0").unwrap()).unwrap();
    });
    output.succeeded();
}

/// The addresses of a listening socket's two sides, as the guest sees them.
fn addresses(listener: TcpListener) {
    let address = listener.local_addr().unwrap();
    let client = connect(address);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    let unix = UnixListener::bind(&path).unwrap();
    let _unix_client = UnixStream::connect(&path).unwrap();
    let (pipe, _write) = std::io::pipe().unwrap();
    let output = run(DESCRIPTORS_ADDRESSES, |uv| {
        uv.descriptor("listener", listener).unwrap();
        uv.descriptor("unix", unix).unwrap().descriptor("pipe", pipe).unwrap();
    });
    let path = path.to_str().unwrap();
    let (address, peer) = (address.to_string(), client.local_addr().unwrap().to_string());
    assert_eq!(output.succeeded(), [&address, &address, &peer, path, path]);
}

#[test]
fn descriptors_addresses() {
    addresses(TcpListener::bind("127.0.0.1:0").unwrap());
}

#[test]
fn addresses_of_ipv6_have_brackets() {
    match TcpListener::bind("[::1]:0") {
        Ok(listener) => {
            assert!(listener.local_addr().unwrap().to_string().starts_with("[::1]:"));
            addresses(listener);
        }
        // Not every machine has it.
        Err(error) => assert_eq!(error.kind(), ErrorKind::AddrNotAvailable),
    }
}

#[test]
fn descriptors_half_close() {
    let (mut ours, theirs) = tcp_pair();
    let (_unread, unread) = stream_pair();
    let (pipe, _write) = std::io::pipe().unwrap();
    let mut guest = spawn(DESCRIPTORS_HALF_CLOSE, |uv| {
        uv.descriptor("socket", theirs).unwrap().descriptor("unread", unread).unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        uv.descriptor("udp", udp).unwrap().descriptor("pipe", pipe).unwrap();
    });
    ours.write_all(b"stressed").unwrap();
    ours.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    ours.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "desserts");
    guest.expect("ended");
    drop(ours);
    guest.wait().succeeded();
}

#[test]
fn descriptors_errors() {
    for is_exclusive in [false, true] {
        let (socket, peer) = UnixStream::pair().unwrap();
        let (reads, writes) = std::io::pipe().unwrap();
        let fds: [(&str, OwnedFd); 5] = [
            ("socket", socket.into()),
            ("peer", peer.into()),
            ("reads", reads.into()),
            ("writes", writes.into()),
            ("listener", listener().0.into()),
        ];
        let output = run(DESCRIPTORS_ERRORS, |uv| {
            uv.limits(|limits| limits.read_bytes = 10);
            for (name, fd) in fds {
                match is_exclusive {
                    false => uv.descriptor(name, fd).unwrap(),
                    true => uv.exclusive_descriptor(name, fd).unwrap(),
                };
            }
        });
        output.succeeded();
    }
}

#[test]
fn descriptors_datagrams() {
    let udp = || UdpSocket::bind("127.0.0.1:0").unwrap();
    let (ours, theirs) = (udp(), udp());
    ours.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut guest = spawn(DESCRIPTORS_DATAGRAMS, |uv| {
        uv.descriptor("udp", theirs).unwrap();
    });
    let address = guest.line();
    let mut buffer = [0; 100];
    for text in ["one", "two"] {
        ours.send_to(text.as_bytes(), &address).unwrap();
        let (length, sender) = ours.recv_from(&mut buffer).unwrap();
        assert_eq!(
            (&buffer[..length], sender.to_string()),
            (text.to_uppercase().as_bytes(), address.clone())
        );
        guest.expect(&format!("{} {text}", ours.local_addr().unwrap()));
    }
    ours.send_to(b"end", &address).unwrap();
    guest.wait().succeeded();
}

#[test]
fn descriptors_trap() {
    let (listener, address) = listener();
    let guest = spawn(DESCRIPTORS_TRAP, |uv| {
        uv.descriptor("clients", listener).unwrap();
    });
    let mut client = connect(address);
    guest.wait().trapped();
    let refused = TcpStream::connect(address).expect_err("the listener is closed");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(client.read(&mut [0]).unwrap(), 0, "the accepted connection is closed as well");
}
