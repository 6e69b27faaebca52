//! Five connections, both ends of which are served here: each end reads, writes, pauses, changes its
//! mind and does nothing, as chance has it, until everything has been transferred and both sides
//! have ended. With the argument `one-way`, only the first end of each connection sends.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use uv_handles::{
    Descriptor, Error, Handle, Loop, Poll, PollEvents, Result, RunMode, Shutdown, StatusCode, Timer,
};

const CONNECTIONS: usize = 5;
const BYTES: usize = 1 << 16;

/// State that all connections share.
#[derive(Default)]
struct Shared {
    random: Cell<u32>,
    ended: Cell<usize>,
    disconnects: Cell<usize>,
    writes: Cell<usize>,
    spurious_writes: Cell<usize>,
}

impl Shared {
    /// A number below `limit`, the same ones in every run.
    fn random(&self, limit: u32) -> u32 {
        let next = self.random.get().wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.random.set(next);
        (next >> 16) % limit
    }
}

/// One end of a connection.
struct End {
    shared: Rc<Shared>,
    poll: Poll,
    pause: Timer,
    /// Dropped when it has ended.
    socket: RefCell<Option<Descriptor>>,
    asked: Cell<PollEvents>,
    /// The events to request again after the pause.
    after_pause: Cell<PollEvents>,
    to_send: Cell<usize>,
    received: Cell<usize>,
    end_sent: Cell<bool>,
    end_received: Cell<bool>,
    disconnected: Cell<bool>,
}

fn without(events: PollEvents, event: PollEvents) -> PollEvents {
    let all = [PollEvents::READABLE, PollEvents::WRITABLE, PollEvents::DISCONNECT];
    let left = all.into_iter().filter(|&one| events.contains(one) && one != event);
    left.fold(PollEvents::NONE, |left, one| left | one)
}

pub fn main() -> Result<()> {
    let one_way = uv_handles_test_guests::args().next().is_some_and(|arg| arg == "one-way");
    let event_loop = Loop::new()?;
    let shared = Rc::new(Shared::default());
    let mut ends = Vec::new();
    for n in 0..CONNECTIONS {
        for side in ["a", "b"] {
            let to_send = if one_way && side == "b" { 0 } else { BYTES };
            ends.push(End::begin(&event_loop, &shared, Descriptor::open(&format!("{side}{n}"))?, to_send)?);
        }
    }
    assert!(!event_loop.run(RunMode::Default)?);
    assert_eq!((shared.ended.get(), shared.disconnects.get()), (2 * CONNECTIONS, 2 * CONNECTIONS));
    for sides in ends.chunks(2) {
        let received = [&sides[0], &sides[1]].map(|end| end.received.get());
        assert_eq!(received, if one_way { [0, BYTES] } else { [BYTES, BYTES] });
        assert!(sides.iter().all(|end| end.to_send.get() == 0 && end.poll.is_closed()));
    }
    // Readiness may be spurious, but not often.
    let (writes, spurious) = (shared.writes.get(), shared.spurious_writes.get());
    assert!(spurious * 20 <= writes, "{spurious} of {writes}");
    event_loop.close()
}

impl End {
    fn begin(event_loop: &Loop, shared: &Rc<Shared>, socket: Descriptor, to_send: usize) -> Result<Rc<End>> {
        let asked = PollEvents::READABLE | PollEvents::WRITABLE | PollEvents::DISCONNECT;
        let end = Rc::new(End {
            shared: shared.clone(),
            poll: Poll::new(event_loop, &socket)?,
            pause: Timer::new(event_loop)?,
            socket: RefCell::new(Some(socket)),
            asked: Cell::new(asked),
            after_pause: Cell::default(),
            to_send: Cell::new(to_send),
            received: Cell::new(0),
            end_sent: Cell::new(false),
            end_received: Cell::new(false),
            disconnected: Cell::new(false),
        });
        end.poll.start_with(asked, {
            let end = end.clone();
            move |_, ready| end.ready(ready.expect("no connection fails"))
        })?;
        end.pause.set_callback({
            let end = end.clone();
            move |pause| {
                assert!(!pause.is_active());
                end.ask(end.asked.get() | end.after_pause.take());
            }
        });
        Ok(end)
    }

    fn ask(&self, events: PollEvents) {
        self.asked.set(events);
        self.poll.start(events).unwrap();
        assert_eq!(self.poll.is_active(), !events.is_empty());
    }

    fn ready(&self, ready: PollEvents) {
        let asked = self.asked.get();
        assert!(!ready.is_empty() && asked.contains(ready), "{ready:?} of {asked:?}");
        if ready.contains(PollEvents::READABLE) {
            self.readable();
        }
        if ready.contains(PollEvents::WRITABLE) {
            self.writable();
        }
        if ready.contains(PollEvents::DISCONNECT) {
            assert!(!self.disconnected.replace(true), "asked for once");
            self.shared.disconnects.set(self.shared.disconnects.get() + 1);
            self.ask(without(self.asked.get(), PollEvents::DISCONNECT));
        }
        if self.end_sent.get() && self.end_received.get() && self.disconnected.get() {
            self.poll.close();
            self.pause.close();
            self.socket.take();
            self.shared.ended.set(self.shared.ended.get() + 1);
        }
    }

    fn readable(&self) {
        match self.shared.random(7) {
            0 | 1 => drop(self.read(74)),
            2 | 3 => while self.read(931) {},
            4 => {}
            5 => self.pause(PollEvents::READABLE, 10),
            _ => self.change_mind(PollEvents::WRITABLE),
        }
    }

    fn writable(&self) {
        if self.to_send.get() == 0 {
            assert!(!self.end_sent.replace(true));
            self.socket.borrow().as_ref().unwrap().shutdown(Shutdown::Write).unwrap();
            self.ask(without(self.asked.get(), PollEvents::WRITABLE));
            return;
        }
        match self.shared.random(7) {
            0 | 1 => drop(self.write(103, true)),
            2 | 3 => {
                let mut first = true;
                while self.to_send.get() > 0 && self.write(1234, std::mem::take(&mut first)) {}
            }
            4 => {}
            5 => self.pause(PollEvents::WRITABLE, 100),
            _ => self.change_mind(PollEvents::READABLE),
        }
    }

    /// Reads once, and answers whether there may be more.
    fn read(&self, max: u32) -> bool {
        match self.socket.borrow().as_ref().unwrap().read_vec(max) {
            Ok(bytes) if bytes.is_empty() => {
                self.end_received.set(true);
                self.ask(without(self.asked.get(), PollEvents::READABLE));
                false
            }
            Ok(bytes) => {
                self.received.set(self.received.get() + bytes.len());
                true
            }
            Err(error) => {
                assert_eq!(error, Error::from(StatusCode::EAGAIN));
                false
            }
        }
    }

    /// Writes once, and answers whether more may fit.
    fn write(&self, max: usize, first: bool) -> bool {
        let bytes = [0; 1234];
        match self.socket.borrow().as_ref().unwrap().write(&bytes[..max.min(self.to_send.get())]) {
            Ok(written) => {
                assert!(written > 0);
                self.to_send.set(self.to_send.get() - written);
                self.shared.writes.set(self.shared.writes.get() + 1);
                true
            }
            Err(error) => {
                assert_eq!(error, Error::from(StatusCode::EAGAIN));
                if first {
                    self.shared.spurious_writes.set(self.shared.spurious_writes.get() + 1);
                }
                false
            }
        }
    }

    /// Does not ask for this event for a while.
    fn pause(&self, event: PollEvents, milliseconds: u64) {
        self.ask(without(self.asked.get(), event));
        self.after_pause.set(self.after_pause.get() | event);
        if !self.pause.is_active() {
            self.pause.start(milliseconds, 0).unwrap();
        }
    }

    /// Asks for something else and then for the same again, which must change nothing.
    fn change_mind(&self, event: PollEvents) {
        let asked = self.asked.get();
        self.ask(event);
        self.ask(asked);
    }
}
