//! A plugin that tails sockets. Clients connect to its address `lines` and send lines, as log
//! shippers do. Lines that contain one of the words are shown, and the number of all lines is
//! printed periodically.
//!
//! | key of `[config]` | |
//! | --- | --- |
//! | `words` | lines with one of these, separated by spaces, are shown; all of them unless set |
//! | `summary` | milliseconds between two summaries; 10,000 unless set |
//!
//! Messages in its mailbox are shown too: other plugins send them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use uv_handles::{Async, Descriptor, Error, Handle, Loop, Poll, PollEvents, Result, StatusCode, Timer};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "../../wit", world: "plugin" });
}

uv_handles::plugin!();

struct Component;

bindings::export!(Component with_types_in bindings);

impl bindings::Guest for Component {
    fn init(config: Vec<(String, String)>) -> Result<(), String> {
        let config: HashMap<String, String> = config.into_iter().collect();
        let summary = match config.get("summary").map(|value| value.parse::<u64>()) {
            None => 10_000,
            Some(Ok(summary @ 1..)) => summary,
            Some(_) => return Err("the key summary is no number of milliseconds".into()),
        };
        let words = config.get("words").map(String::as_str).unwrap_or_default();
        let words = words.split_whitespace().map(str::to_owned).collect();
        let tailer = Rc::new(Tailer { words, lines: Cell::new(0), shown: Cell::new(0) });
        start(&tailer, summary).map_err(|error| format!("the socket lines cannot be tailed: {error}"))
    }
}

/// A longer line is shown in pieces.
const LONGEST_LINE: usize = 4096;

struct Tailer {
    words: Vec<String>,
    lines: Cell<u64>,
    shown: Cell<u64>,
}

fn start(tailer: &Rc<Tailer>, summary: u64) -> Result<()> {
    let event_loop = Loop::hosted()?;
    let socket = Descriptor::open("lines")?;
    let accepting = tailer.clone();
    Poll::new(&event_loop, &socket)?.start_with(PollEvents::READABLE, move |poll, _| {
        // Another process may have been faster. Further clients are accepted at the next callback.
        if let Ok(client) = socket.accept()
            && let Err(error) = tail(&poll.event_loop(), &accepting, client)
        {
            println!("a client is not served: {error}");
        }
    })?;

    let counted = tailer.clone();
    Timer::new(&event_loop)?.start_with(summary, summary, move |_| {
        println!("{} lines so far, {} of them shown", counted.lines.get(), counted.shown.get());
    })?;

    let mailbox = Async::named(&event_loop, "mailbox")?;
    mailbox.set_callback(|mailbox| {
        while let Ok(Some(message)) = mailbox.receive() {
            println!("message: {}", String::from_utf8_lossy(&message).trim_end());
        }
    });
    Async::named(&event_loop, "stop")?
        .set_callback(|stop| stop.event_loop().handles().iter().for_each(Handle::close));
    Ok(())
}

/// Reads a client's lines until it has no more.
fn tail(event_loop: &Loop, tailer: &Rc<Tailer>, client: Descriptor) -> Result<()> {
    let tailer = tailer.clone();
    let rest = RefCell::new(Vec::new());
    Poll::new(event_loop, &client)?.start_with(PollEvents::READABLE, move |poll, ready| {
        match ready.map_err(Into::into).and_then(|_| client.read_vec(64 * 1024)) {
            Ok(bytes) if !bytes.is_empty() => tailer.read(&bytes, &mut rest.borrow_mut()),
            // Not ready after all.
            Err(Error::Status(StatusCode::EAGAIN)) => {}
            Ok(_) | Err(_) => {
                let rest = rest.take();
                if !rest.is_empty() {
                    tailer.line(&rest);
                }
                poll.close();
            }
        }
    })
}

impl Tailer {
    fn read(&self, bytes: &[u8], rest: &mut Vec<u8>) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            rest.extend_from_slice(piece);
            if piece.ends_with(b"\n") || rest.len() > LONGEST_LINE {
                self.line(rest);
                rest.clear();
            }
        }
    }

    fn line(&self, line: &[u8]) {
        self.lines.set(self.lines.get() + 1);
        let line = String::from_utf8_lossy(line);
        if self.words.is_empty() || self.words.iter().any(|word| line.contains(word)) {
            self.shown.set(self.shown.get() + 1);
            println!("{}", line.trim_end());
        }
    }
}
