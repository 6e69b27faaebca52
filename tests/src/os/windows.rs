//! Windows.

use crate::os::tcp_pair;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::windows::io::{AsRawSocket, OwnedHandle, RawSocket};
use std::time::Duration;
use wasmtime_wasi::cli::{InputFile, OutputFile, StdinStream};

/// A time in units of 100 ns, in two halves.
#[repr(C)]
#[derive(Clone, Copy)]
struct FileTime {
    low: u32,
    high: u32,
}

/// How a socket is closed.
#[repr(C)]
struct Linger {
    is_on: u16,
    seconds: u16,
}

const SOL_SOCKET: i32 = 0xffff;
const SO_LINGER: i32 = 0x80;

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetCurrentThread() -> isize;
    fn GetThreadTimes(
        thread: isize,
        created: *mut FileTime,
        ended: *mut FileTime,
        kernel: *mut FileTime,
        user: *mut FileTime,
    ) -> i32;
}

#[link(name = "ws2_32")]
unsafe extern "system" {
    fn setsockopt(socket: RawSocket, level: i32, name: i32, value: *const Linger, size: i32) -> i32;
}

/// A pipe as WASI's standard input.
pub fn stdin(pipe: PipeReader) -> impl StdinStream + 'static {
    InputFile::new(File::from(OwnedHandle::from(pipe)))
}

/// A pipe as one of WASI's standard outputs.
pub fn output(pipe: PipeWriter) -> OutputFile {
    OutputFile::new(File::from(OwnedHandle::from(pipe)))
}

/// How much of a processor this thread has used.
pub fn cpu_time() -> Duration {
    let mut times = [MaybeUninit::<FileTime>::zeroed(); 4];
    let [created, ended, kernel, user] = times.each_mut().map(MaybeUninit::as_mut_ptr);
    // SAFETY: the places are valid for the call.
    let got = unsafe { GetThreadTimes(GetCurrentThread(), created, ended, kernel, user) };
    assert_ne!(got, 0, "{}", io::Error::last_os_error());
    let used = times[2..].iter().map(|time| {
        // SAFETY: zeroed bytes are a valid time too.
        let FileTime { low, high } = unsafe { time.assume_init() };
        Duration::from_nanos(((u64::from(high) << 32) | u64::from(low)) * 100)
    });
    used.sum()
}

/// Two connected sockets. The first is this side's: it waits with patience.
pub fn stream_pair() -> (TcpStream, TcpStream) {
    tcp_pair()
}

/// Closes a connection with a reset instead of an end.
pub fn reset(stream: TcpStream) {
    let linger = Linger { is_on: 1, seconds: 0 };
    // SAFETY: the pointer and the length describe one linger.
    let result = unsafe {
        setsockopt(
            stream.as_raw_socket(),
            SOL_SOCKET,
            SO_LINGER,
            &raw const linger,
            size_of::<Linger>() as i32,
        )
    };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

/// Sends nothing: this system has only console control events, which go to other processes too.
pub fn kill_self(_: i32) {}

/// A thread of this process.
#[derive(Debug, Clone, Copy)]
pub struct Thread(());

impl Thread {
    /// The thread that asks.
    pub fn current() -> Thread {
        Thread(())
    }
}
