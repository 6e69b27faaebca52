//! Triggers a guest's async handles: by a signal to uv-run, or by a line on the control socket.

use crate::output::{quoted, say};
use crate::signals;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::mem::MaybeUninit;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::Duration;
use uv_handles_host::AsyncSender;

/// The longest line on the control socket.
const LINE: u64 = 4096;

/// Signals that a dedicated thread waits for, without a handler.
#[derive(Clone, Copy)]
pub struct SignalSet(libc::sigset_t);

impl SignalSet {
    /// Blocks signals in this thread and those that it starts later, so that they wait for
    /// [`SignalSet::next`]. To be called while there is no other thread.
    #[expect(unsafe_code, reason = "the standard library has no signal sets")]
    pub fn block(signums: impl IntoIterator<Item = i32>) -> SignalSet {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: sigemptyset initializes the set, and sigaddset changes an initialized one. It
        // refuses a number that is no signal.
        let set = unsafe {
            libc::sigemptyset(set.as_mut_ptr());
            for signum in signums {
                libc::sigaddset(set.as_mut_ptr(), signum);
            }
            set.assume_init()
        };
        // SAFETY: the set is valid, and null says that the previous set is not wanted.
        unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) };
        SignalSet(set)
    }

    /// Waits for the next of these signals.
    #[expect(unsafe_code, reason = "the standard library has no signal sets")]
    fn next(&self) -> i32 {
        let mut signum = 0;
        // SAFETY: the set is valid, its signals are blocked, and `signum` is a valid place for the
        // number.
        while unsafe { libc::sigwait(&raw const self.0, &raw mut signum) } != 0 {}
        signum
    }
}

/// Starts to trigger async handles when their signals arrive, until the process ends.
pub fn by_signals(set: SignalSet, wakes: Vec<(i32, AsyncSender)>) -> io::Result<()> {
    std::thread::Builder::new().name("uv-run signals".into()).spawn(move || {
        loop {
            let arrived = set.next();
            for (_, sender) in wakes.iter().filter(|(signum, _)| *signum == arrived) {
                if let Err(error) = sender.send() {
                    let (signal, name) = (signals::name(arrived), quoted(sender.name()));
                    say(format!("the signal {signal} did not send {name}: {error}"));
                }
            }
        }
    })?;
    Ok(())
}

/// Starts to answer on the control socket, until the process ends.
pub fn by_lines(listener: UnixListener, senders: Vec<AsyncSender>) -> io::Result<()> {
    let senders: Arc<[AsyncSender]> = senders.into();
    std::thread::Builder::new().name("uv-run control".into()).spawn(move || {
        loop {
            // Only the user's own programs get here, so a thread for each is not too many.
            let served = listener.accept().and_then(|(client, _)| {
                let senders = senders.clone();
                let thread = std::thread::Builder::new().name("uv-run control client".into());
                thread.spawn(move || serve(&client, &senders))
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

/// Answers line by line, until either side closes the connection or a line is too long.
fn serve(client: &UnixStream, senders: &[AsyncSender]) {
    let mut lines = BufReader::new(client);
    let mut line = Vec::new();
    loop {
        line.clear();
        match lines.by_ref().take(LINE).read_until(b'\n', &mut line) {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
        let too_long = line.len() as u64 == LINE && !line.ends_with(b"\n");
        let answer = match too_long {
            true => "the line is too long".into(),
            false => answer(String::from_utf8_lossy(&line).trim(), senders),
        };
        let mut client = client;
        if client.write_all(format!("{answer}\n").as_bytes()).is_err() || too_long {
            return;
        }
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
            format!("no wake-up has the name {}; there are: {}", quoted(name), known.join(", "))
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
        let thread = std::thread::spawn(move || serve(&server, &senders));
        let mut writer = &client;
        writer.write_all(b"print\n no\x1b\n").unwrap();
        writer.write_all(&[b'a'; LINE as usize + 1]).unwrap();
        let answers: Vec<_> = BufReader::new(&client).lines().map_while(Result::ok).collect();
        assert_eq!(
            answers,
            [
                "the guest has not made the async handle yet",
                "no wake-up has the name \"no\\u{1b}\"; there are: print, reload",
                "the line is too long",
            ]
        );
        thread.join().unwrap();
    }
}
