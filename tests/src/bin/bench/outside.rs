//! The environment of each work: its grants, and their peers.

use std::any::Any;
use std::net::TcpListener;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use uv_handles_bench::{Echo, Requests, SIGNAL, Session, echo_clients, http_server, raise, round_trips};
use uv_handles_host::UvCtxBuilder;

/// Makes the grants that the work needs. The returned value has to live as long as the guest.
pub fn grant(uv: &mut UvCtxBuilder, session: &mut Session, name: &str, numbers: &[u64]) -> Box<dyn Any> {
    uv.limits(|limits| {
        limits.handles = 4_000_000;
        limits.descriptors = 100_000;
    });
    match (name, numbers) {
        ("random-timers", _) => {
            uv.virtual_time(true);
        }
        ("idle-poll", _) => {
            let (ours, theirs) = UnixStream::pair().expect("the OS has sockets");
            uv.descriptor("silent", theirs).expect("a socket can be granted");
            return Box::new(ours);
        }
        ("ping-pong", _) => {
            let (ping, pong) = UnixStream::pair().expect("the OS has sockets");
            uv.descriptor("ping", ping).expect("a socket can be granted");
            uv.descriptor("pong", pong).expect("a socket can be granted");
        }
        ("many-polls", &[many, ..]) => {
            for at in 0..many {
                uv.exclusive_descriptor(at.to_string(), event_descriptor()).expect("it can be granted");
            }
        }
        ("many-shared-polls", &[many, ..]) => {
            for at in 0..many {
                uv.descriptor(at.to_string(), event_descriptor()).expect("it can be granted");
            }
        }
        ("wake-up", &[times]) => {
            let sender = uv.async_sender("wake");
            session.with_answers(round_trips(times, move || sender.send().expect("the guest has opened it")));
        }
        ("signal", &[times]) => {
            uv.signal(SIGNAL);
            session.with_answers(round_trips(times, raise));
        }
        ("echo", &[connections, messages]) => {
            let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
            let address = listener.local_addr().expect("it is bound");
            uv.descriptor("clients", listener).expect("a socket can be granted");
            session.with_peer(echo_clients(address, Echo { connections, messages }));
        }
        _ => {}
    }
    Box::new(())
}

/// Starts the server that a work needs, if it needs one. Returns its URL.
pub fn server(session: &mut Session, name: &str, numbers: &[u64]) -> Option<String> {
    let requests = match (name, numbers) {
        ("requests", &[many, _]) => Requests::AtOnce(many),
        ("pending-requests", &[many]) => Requests::Pending(many),
        _ => return None,
    };
    let (address, peer) = http_server(requests);
    session.with_peer(peer);
    Some(format!("http://{address}/"))
}

fn event_descriptor() -> OwnedFd {
    // SAFETY: it takes numbers only.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    assert!(fd >= 0, "{}", std::io::Error::last_os_error());
    // SAFETY: the call succeeded, so it is open, and it has no other owner.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
