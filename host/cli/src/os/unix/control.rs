//! The control socket: a line on it triggers an async handle of the guest.

use crate::shared::text::quoted;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use uv_handles_host::AsyncSender;

/// The longest line on the control socket.
const LINE: u64 = 4096;

/// The limits of the control socket.
#[derive(Debug, Clone, Copy)]
struct ControlLimits {
    /// The clients that are served at the same time. More wait until one leaves.
    clients: usize,
    /// The time for a line, which begins with the connection or with the answer before, and for an
    /// answer. A client that takes longer is left.
    line: Duration,
}

impl Default for ControlLimits {
    fn default() -> ControlLimits {
        ControlLimits { clients: 16, line: Duration::from_secs(60) }
    }
}

/// Starts to answer on the control socket, until the process ends.
pub fn by_lines(listener: UnixListener, senders: Vec<AsyncSender>) -> io::Result<()> {
    by_lines_within(listener, senders, ControlLimits::default())
}

fn by_lines_within(
    listener: UnixListener,
    senders: Vec<AsyncSender>,
    limits: ControlLimits,
) -> io::Result<()> {
    let senders: Arc<[AsyncSender]> = senders.into();
    // A place is taken by a client until its thread ends.
    let (leave, left) = mpsc::channel();
    for _ in 0..limits.clients {
        // The receiver is below.
        let _ = leave.send(());
    }
    std::thread::Builder::new().name("uv-run control".into()).spawn(move || {
        while let Ok(()) = left.recv() {
            let place = Place(leave.clone());
            let served = listener.accept().and_then(|(client, _)| {
                let senders = senders.clone();
                let thread = std::thread::Builder::new().name("uv-run control client".into());
                thread.spawn(move || {
                    // An error is the client's: it has left, or is too slow.
                    let _ = serve(&client, &senders, limits.line);
                    drop(place);
                })
            });
            if let Err(error) = served {
                tracing::debug!(%error, "a client of the control socket is not served");
                // Too many open files, or threads: it gets better when others leave.
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    })?;
    Ok(())
}

/// A client's place, which it leaves when this is dropped.
struct Place(mpsc::Sender<()>);

impl Drop for Place {
    fn drop(&mut self) {
        // Without a receiver the process ends.
        let _ = self.0.send(());
    }
}

/// Answers line by line, until either side closes the connection, or a line is too long or too slow.
fn serve(client: &UnixStream, senders: &[AsyncSender], time: Duration) -> io::Result<()> {
    let mut lines = BufReader::new(Until { client, end: Instant::now() });
    let mut line = Vec::new();
    loop {
        line.clear();
        lines.get_mut().end = Instant::now() + time;
        if lines.by_ref().take(LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let too_long = line.len() as u64 == LINE && !line.ends_with(b"\n");
        let answer = match too_long {
            true => "the line is too long".into(),
            false => answer(String::from_utf8_lossy(&line).trim(), senders),
        };
        Until { client, end: Instant::now() + time }.write_all(format!("{answer}\n").as_bytes())?;
        if too_long {
            return Ok(());
        }
    }
}

/// A connection that fails with a time-out from some time on.
struct Until<'a> {
    client: &'a UnixStream,
    end: Instant,
}

impl Until<'_> {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.end.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }
}

impl Read for Until<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.client.set_read_timeout(self.left()?)?;
        self.client.read(buffer)
    }
}

impl Write for Until<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.client.set_write_timeout(self.left()?)?;
        self.client.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Triggers the async handle of this name, and returns the answer.
fn answer(name: &str, senders: &[AsyncSender]) -> String {
    match senders.iter().find(|sender| sender.name() == name).map(AsyncSender::send) {
        Some(Ok(())) => "ok".into(),
        Some(Err(error)) => error.to_string(),
        None => {
            let known: Vec<_> =
                senders.iter().map(|sender| sender.name().escape_debug().to_string()).collect();
            format!("no async handle has the name {}; there are: {}", quoted(name), known.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uv_handles_host::UvCtx;

    #[test]
    fn every_line_is_answered() {
        let mut builder = UvCtx::builder();
        let senders = vec![builder.async_sender("print"), builder.async_sender("reload")];
        let _ctx = builder.build();
        let (client, server) = UnixStream::pair().unwrap();
        let thread = std::thread::spawn(move || serve(&server, &senders, HOUR));
        let mut writer = &client;
        writer.write_all(b"print\n no\x1b\n").unwrap();
        writer.write_all(&[b'a'; LINE as usize + 1]).unwrap();
        let answers: Vec<_> = BufReader::new(&client).lines().map_while(Result::ok).collect();
        assert_eq!(
            answers,
            [
                "the guest has not made the async handle yet",
                "no async handle has the name \"no\\u{1b}\"; there are: print, reload",
                "the line is too long",
            ]
        );
        thread.join().unwrap().unwrap();
    }

    const HOUR: Duration = Duration::from_secs(3600);

    /// A control socket without async handles.
    fn control(limits: ControlLimits) -> (tempfile::TempDir, impl Fn() -> UnixStream) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        by_lines_within(UnixListener::bind(&path).unwrap(), Vec::new(), limits).unwrap();
        (dir, move || UnixStream::connect(&path).unwrap())
    }

    fn ask(mut client: &UnixStream) -> String {
        client.write_all(b"a\n").unwrap();
        let mut answer = String::new();
        BufReader::new(client).read_line(&mut answer).unwrap();
        answer
    }

    #[test]
    fn clients_beyond_the_limit_wait_until_one_leaves() {
        let (_dir, connect) = control(ControlLimits { clients: 2, line: HOUR });
        let [first, second, third] = [connect(), connect(), connect()];
        for client in [&first, &second] {
            assert!(ask(client).starts_with("no async handle"));
        }
        (&third).write_all(b"a\n").unwrap();
        for _ in 0..1_000 {
            assert!(ask(&first).starts_with("no async handle"));
        }
        third.set_nonblocking(true).unwrap();
        let waits = (&third).read(&mut [0; 8]).unwrap_err();
        assert_eq!(waits.kind(), io::ErrorKind::WouldBlock);
        third.set_nonblocking(false).unwrap();
        drop(second);
        assert!(ask(&third).starts_with("no async handle"));
    }

    #[test]
    fn clients_that_are_too_slow_are_left() {
        let (_dir, connect) = control(ControlLimits { clients: 1, line: Duration::from_millis(50) });
        let mut idle = connect();
        assert_eq!(idle.read(&mut [0; 8]).unwrap(), 0, "it sends nothing");

        // A line without an end, of which a byte comes again and again.
        let slow = connect();
        let mut sending = slow.try_clone().unwrap();
        let writer = std::thread::spawn(move || {
            while sending.write_all(b"a").is_ok() {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        writer.join().unwrap();

        // Answers that are not read.
        let mut deaf = connect();
        while deaf.write_all(&b"a\n".repeat(1_000)).is_ok() {}
    }
}
