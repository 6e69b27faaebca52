//! The outside of the guest: its grants, their far ends, and the process's resources that must be
//! the same afterwards.

use crate::guest;
use crate::resources::Kind;
use std::fs::File;
use std::io::{PipeWriter, Read, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr as IpAddress, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use uv_handles_host::{AsyncSender, InterruptHandle, UvCtx};

pub const DESCRIPTORS: [&str; 6] = ["stream", "listener", "input", "output", "datagrams", "file"];
pub const WAKE_UPS: [&str; 2] = ["one", "two"];

/// Real-time signals, which nothing else here uses.
const SIGNALS: [i32; 3] = [35, 36, 37];

pub struct Outside {
    stream: Option<UnixStream>,
    input: Option<PipeWriter>,
    output: Option<std::io::PipeReader>,
    datagrams: UdpSocket,
    to: IpAddress,
    listener: SocketAddr,
    /// The far ends of connections, accepted or waiting.
    clients: Vec<UnixStream>,
    wake_ups: [AsyncSender; 2],
    pub interrupt: InterruptHandle,
}

impl Outside {
    /// A context with one grant of each kind, and the far ends.
    pub fn new(is_plugin: bool) -> (Outside, UvCtx) {
        let mut builder = UvCtx::builder();
        builder.limits(guest::set_limits).virtual_time(true);
        if is_plugin {
            builder.plugin();
        }
        let (stream, theirs) = UnixStream::pair().unwrap();
        stream.set_nonblocking(true).unwrap();
        builder.descriptor("stream", theirs).unwrap();
        let (input, writer) = std::io::pipe().unwrap();
        builder.descriptor("input", input).unwrap();
        let (reader, output) = std::io::pipe().unwrap();
        builder.descriptor("output", output).unwrap();
        builder.descriptor("file", File::open("/dev/null").unwrap()).unwrap();

        // A name that only this process uses, and no file.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("uv-handles-fuzz-{}-{count}", std::process::id());
        let listener = SocketAddr::from_abstract_name(name).unwrap();
        builder.descriptor("listener", UnixListener::bind_addr(&listener).unwrap()).unwrap();

        let (datagrams, theirs) = (UdpSocket::bind("127.0.0.1:0"), UdpSocket::bind("127.0.0.1:0"));
        let (datagrams, theirs) = (datagrams.unwrap(), theirs.unwrap());
        datagrams.set_nonblocking(true).unwrap();
        let to = theirs.local_addr().unwrap();
        builder.descriptor("datagrams", theirs).unwrap();

        for signum in SIGNALS {
            builder.signal(signum);
        }
        let wake_ups = WAKE_UPS.map(|name| builder.async_sender(name));
        let interrupt = builder.interrupt_handle();
        let outside = Outside {
            stream: Some(stream),
            input: Some(writer),
            output: Some(reader),
            datagrams,
            to,
            listener,
            clients: Vec::new(),
            wake_ups,
            interrupt,
        };
        (outside, builder.build())
    }

    pub fn datagrams_at(&self) -> String {
        self.datagrams.local_addr().unwrap().to_string()
    }

    /// Writes to the far ends, never enough to fill a buffer and so to block.
    pub fn write(&mut self, length: u8) {
        let bytes = vec![1; length.into()];
        let ends = self.stream.iter_mut().chain(&mut self.clients);
        // Refused when the guest has closed its end.
        ends.for_each(|mut end| drop((&mut end).write(&bytes)));
        if let Some(input) = &mut self.input
            && outstanding(input) < 4_096
        {
            drop(input.write(&bytes));
        }
    }

    pub fn read(&mut self) {
        let mut buffer = [0; 1 << 16];
        self.stream.iter_mut().chain(&mut self.clients).for_each(|end| drop(end.read(&mut buffer)));
        if let Some(output) = &mut self.output
            && outstanding(output) > 0
        {
            drop(output.read(&mut buffer));
        }
        drop(self.datagrams.recv(&mut buffer));
    }

    pub fn hang_up(&mut self, which: u8) {
        match which % 4 {
            0 => self.stream = None,
            1 => self.input = None,
            2 => self.output = None,
            _ => drop(self.clients.pop()),
        }
    }

    pub fn connect(&mut self) {
        if self.clients.len() < 8
            && let Ok(client) = UnixStream::connect_addr(&self.listener)
        {
            client.set_nonblocking(true).unwrap();
            self.clients.push(client);
        }
    }

    pub fn datagram(&mut self) {
        // Refused after a datagram to a socket that the guest has closed.
        drop(self.datagrams.send_to(b"hello", self.to));
    }

    pub fn wake_up(&self, which: u8) {
        // Refused while the guest has not opened it.
        let _ = self.wake_ups[which as usize % self.wake_ups.len()].send();
    }
}

/// How many bytes wait in a pipe.
fn outstanding(pipe: &impl std::os::fd::AsRawFd) -> usize {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the descriptor is open, and the place is valid for what FIONREAD writes.
    let result = unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut bytes) };
    if result == 0 { bytes as usize } else { usize::MAX }
}

/// Whether a datagram to this address stays on this machine, or is refused before it is sent.
pub fn is_here(address: &str) -> bool {
    address.parse::<IpAddress>().map_or(true, |address| address.ip().is_loopback())
}

extern "C" fn ignore(_: libc::c_int) {}

/// Raises a signal that the guest may watch. It is delivered on return, because this thread handles it.
pub fn raise(which: u8) {
    static HANDLED: Once = Once::new();
    HANDLED.call_once(|| {
        // Without a handler they would end the process.
        for signum in SIGNALS {
            // SAFETY: the handler does nothing.
            unsafe { libc::signal(signum, ignore as *const () as libc::sighandler_t) };
        }
    });
    // SAFETY: it takes a number only, and the signal has a handler.
    unsafe { libc::raise(SIGNALS[which as usize % SIGNALS.len()]) };
}

/// The resources of the process that contexts use: the number of open descriptors, and the signal
/// handlers.
pub fn resources() -> (usize, [usize; SIGNALS.len()]) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        raise(0);
        // The descriptor behind signals is made once and never closed.
        let mut guest = guest::Guest::new(Outside::new(false).1, false);
        guest.create_loop(false);
        guest.make(0, Kind::Signal);
        guest.start_oneshot(0, SIGNALS[0]);
    });
    let descriptors = std::fs::read_dir("/proc/self/fd").expect("this is Linux").count();
    (descriptors, SIGNALS.map(installed))
}

fn installed(signum: i32) -> usize {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the place is valid for a sigaction, which the call fills.
    unsafe {
        libc::sigaction(signum, std::ptr::null(), action.as_mut_ptr());
        action.assume_init().sa_sigaction
    }
}
