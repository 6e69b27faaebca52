//! A plugin that limits rates. Clients connect to its address `clients` and send a key per line - a
//! user, an address. The answer is `ok`, or `wait` with the milliseconds until the next token. A
//! key has a bucket of tokens, which a timer fills again; when it is full, timer and bucket are
//! gone.
//!
//! | key of `[config]` | |
//! | --- | --- |
//! | `per-second` | tokens that a key gets per second; 5 unless set |
//! | `burst` | tokens that a bucket holds; 10 unless set |
//!
//! A message `per-second N` or `burst N` in its mailbox changes the values from then on. When a key
//! has used up its tokens, a message goes to the plugin that is connected as `alarms`, if there is
//! one.
//!
//! When another version replaces it, the keys that have used up tokens are handed over.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use uv_handles::plugin::Life;
use uv_handles::{
    Async, AsyncSender, Descriptor, Error, Handle, Loop, Poll, PollEvents, Result, StatusCode, Timer,
};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({ path: "../../wit", world: "plugin" });
}

uv_handles::plugin!(Component);

struct Component;

bindings::export!(Component with_types_in bindings);

impl bindings::Guest for Component {
    fn init(config: Vec<(String, String)>) -> Result<(), String> {
        let limiter = Rc::new(Limiter {
            per_second: Cell::new(5),
            burst: Cell::new(10),
            buckets: RefCell::default(),
            alarms: AsyncSender::open("alarms").ok(),
        });
        for (key, value) in config {
            limiter.set(&key, &value)?;
        }
        start(&limiter).map_err(|error| format!("the socket clients cannot be served: {error}"))?;
        limiter.restore(&STATE.take()).map_err(|error| format!("the state cannot be restored: {error}"))?;
        LIMITER.set(Some(limiter));
        Ok(())
    }
}

thread_local! {
    static LIMITER: RefCell<Option<Rc<Limiter>>> = const { RefCell::new(None) };
    /// The state of the version before, until `init` of the plugin's own world.
    static STATE: RefCell<Vec<(u64, String)>> = const { RefCell::new(Vec::new()) };
}

impl Life for Component {
    /// A line per key: its tokens, a space, the key.
    fn init(_config: Vec<u8>, state: Option<Vec<u8>>) -> Result<(), String> {
        let text = String::from_utf8(state.unwrap_or_default()).map_err(|_| "the state is no text")?;
        let bucket = |line: &str| {
            let (tokens, key) = line.split_once(' ')?;
            Some((tokens.parse().ok()?, key.to_owned()))
        };
        let buckets: Option<Vec<_>> = text.lines().map(bucket).collect();
        STATE.set(buckets.ok_or("the state has a line that is none of a bucket")?);
        Ok(())
    }

    fn hand_over() -> Option<Vec<u8>> {
        let limiter = LIMITER.with_borrow(Clone::clone)?;
        let buckets = limiter.buckets.borrow();
        let lines = buckets.iter().map(|(key, bucket)| format!("{} {key}\n", bucket.tokens));
        Some(lines.collect::<String>().into_bytes())
    }
}

/// The limit of keys, so that clients cannot fill the memory.
const MOST_BUCKETS: usize = 10_000;
const LONGEST_LINE: usize = 256;

struct Limiter {
    per_second: Cell<u64>,
    burst: Cell<u64>,
    buckets: RefCell<HashMap<String, Bucket>>,
    alarms: Option<AsyncSender>,
}

/// A key that has not all of its tokens.
struct Bucket {
    tokens: u64,
    refill: Timer,
}

fn start(limiter: &Rc<Limiter>) -> Result<()> {
    let event_loop = Loop::hosted()?;
    let socket = Descriptor::open("clients")?;
    let accepting = limiter.clone();
    Poll::new(&event_loop, &socket)?.start_with(PollEvents::READABLE, move |poll, _| {
        if let Ok(client) = socket.accept()
            && let Err(error) = serve(&poll.event_loop(), &accepting, client)
        {
            println!("a client is not served: {error}");
        }
    })?;
    let told = limiter.clone();
    Async::named(&event_loop, "mailbox")?.set_callback(move |mailbox| {
        while let Ok(Some(message)) = mailbox.receive() {
            let text = String::from_utf8_lossy(&message);
            let set = text.trim().split_once(' ').map(|(key, value)| told.set(key, value));
            match set {
                Some(Ok(())) => println!("from now on {}", text.trim()),
                _ => println!("a message is neither per-second N nor burst N: {:?}", text.trim()),
            }
        }
    });
    Async::named(&event_loop, "stop")?
        .set_callback(|stop| stop.event_loop().handles().iter().for_each(Handle::close));
    Ok(())
}

/// Answers a client's lines until it has no more.
fn serve(event_loop: &Loop, limiter: &Rc<Limiter>, client: Descriptor) -> Result<()> {
    let limiter = limiter.clone();
    let mut line = Vec::new();
    Poll::new(event_loop, &client)?.start_with(PollEvents::READABLE, move |poll, ready| {
        let bytes = match ready.map_err(Into::into).and_then(|_| client.read_vec(4096)) {
            Ok(bytes) if !bytes.is_empty() => bytes,
            Err(Error::Status(StatusCode::EAGAIN)) => return,
            Ok(_) | Err(_) => return poll.close(),
        };
        let mut answers = String::new();
        for byte in bytes {
            match byte {
                b'\n' => answers += &limiter.answer(&poll.event_loop(), &line),
                _ if line.len() < LONGEST_LINE => line.push(byte),
                _ => return poll.close(),
            }
            if byte == b'\n' {
                line.clear();
            }
        }
        // Close a client that does not read its answers, instead of buffering them.
        if client.write(answers.as_bytes()) != Ok(answers.len()) {
            poll.close();
        }
    })
}

impl Limiter {
    fn set(&self, key: &str, value: &str) -> Result<(), String> {
        let setting = match key {
            "per-second" => &self.per_second,
            "burst" => &self.burst,
            other => return Err(format!("the configuration has the unknown key {other}")),
        };
        match value.parse() {
            Ok(number @ 1..=1_000) => setting.set(number),
            _ => return Err(format!("the key {key} is no number from 1 to 1000")),
        }
        Ok(())
    }

    fn answer(self: &Rc<Limiter>, event_loop: &Loop, key: &[u8]) -> String {
        let key = String::from_utf8_lossy(key).trim().to_owned();
        match self.take(event_loop, &key) {
            Ok(Ok(())) => "ok\n".into(),
            Ok(Err(wait)) => format!("wait {wait}\n"),
            Err(error) => format!("error {error}\n"),
        }
    }

    /// Takes a token, or returns the time until there is one.
    fn take(self: &Rc<Limiter>, event_loop: &Loop, key: &str) -> Result<Result<(), u64>> {
        if let Some(bucket) = self.buckets.borrow_mut().get_mut(key) {
            if bucket.tokens == 0 {
                return Ok(Err(bucket.refill.due_in()?));
            }
            bucket.tokens -= 1;
            if bucket.tokens == 0 {
                self.alarm(key);
            }
            return Ok(Ok(()));
        }
        if self.buckets.borrow().len() >= MOST_BUCKETS {
            return Ok(Err(1_000));
        }
        let tokens = self.burst.get() - 1;
        if tokens == 0 {
            self.alarm(key);
        }
        self.fill(event_loop, key, tokens)?;
        Ok(Ok(()))
    }

    /// Makes the buckets of another version anew.
    fn restore(self: &Rc<Limiter>, buckets: &[(u64, String)]) -> Result<()> {
        let event_loop = Loop::hosted()?;
        for (tokens, key) in buckets.iter().take(MOST_BUCKETS) {
            self.fill(&event_loop, key, *tokens)?;
        }
        Ok(())
    }

    /// Makes a bucket, which a timer fills.
    fn fill(self: &Rc<Limiter>, event_loop: &Loop, key: &str, tokens: u64) -> Result<()> {
        let refill = Timer::new(event_loop)?;
        let every = 1_000 / self.per_second.get();
        let (limiter, refilled) = (self.clone(), key.to_owned());
        refill.start_with(every, every, move |timer| {
            let mut buckets = limiter.buckets.borrow_mut();
            let full = buckets.get_mut(&refilled).is_none_or(|bucket| {
                bucket.tokens += 1;
                bucket.tokens >= limiter.burst.get()
            });
            if full {
                buckets.remove(&refilled);
                timer.close();
            }
        })?;
        self.buckets.borrow_mut().insert(key.to_owned(), Bucket { tokens, refill });
        Ok(())
    }

    fn alarm(&self, key: &str) {
        let sent =
            self.alarms.as_ref().map(|alarms| alarms.send_message(format!("{key} is too fast").as_bytes()));
        if let Some(Err(error)) = sent {
            println!("the message that {key} is too fast is lost: {error}");
        }
    }
}
