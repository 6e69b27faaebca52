//! A descriptor that tasks read, write and accept from.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll as Progress};

use futures_io::{AsyncRead, AsyncWrite};

use crate::descriptor::{Descriptor, Shutdown};
use crate::error::{Error, Result};
use crate::event_loop::Loop;
use crate::handle::Handle;
use crate::poll::Poll;
use crate::poll_events::PollEvents;
use crate::status::StatusCode;
use crate::task::slot::Slot;

/// A [`Descriptor`] with a [`Poll`] handle, for tasks to wait with.
///
/// Clones are the same descriptor with the same handle, so any number of tasks can wait for it, for
/// example one to read and another to write. The handle is active only while a task waits: the
/// descriptor as such does not keep the loop alive. Dropping the last clone closes the handle, and
/// the descriptor unless there is another value of it.
///
/// **Reading and accepting wait first**, so that each takes an iteration of the loop: a peer that
/// always has something to send does not starve others. Writing tries first.
///
/// **Dropping a future** loses no input, because reading is its last step. After dropping a future
/// of [`write_all`](Self::write_all), the number of bytes that have been written is unknown.
///
/// It implements [`AsyncRead`] and [`AsyncWrite`] too, for the adapters of the crate futures.
/// Closing it as an `AsyncWrite` shuts down the connection's write side.
pub struct AsyncDescriptor {
    watch: Rc<Watch>,
    /// The waits of the traits' functions, which are polled several times for one read or write.
    reading: Option<Readiness>,
    writing: Option<Readiness>,
}

/// The handle, and the futures that wait for it.
struct Watch {
    poll: Poll,
    descriptor: Descriptor,
    waiting: RefCell<Vec<Rc<Waiter>>>,
    /// The events for which the handle is started.
    events: Cell<PollEvents>,
}

struct Waiter {
    events: PollEvents,
    answer: Slot<Result<PollEvents>>,
}

impl AsyncDescriptor {
    /// Makes the handle, with the errors of [`Poll::new`].
    pub fn new(event_loop: &Loop, descriptor: Descriptor) -> Result<Self> {
        let poll = Poll::new(event_loop, &descriptor)?;
        let watch = Rc::new(Watch {
            poll,
            descriptor,
            waiting: RefCell::default(),
            events: Cell::new(PollEvents::NONE),
        });
        // The watch owns the handle and closes it, so the closure must not keep the watch alive.
        let called = Rc::downgrade(&watch);
        watch.poll.set_callback(move |_, ready| {
            if let Some(watch) = called.upgrade() {
                watch.called(ready);
            }
        });
        Ok(Self::of(watch))
    }

    /// Opens what the host granted under this name: [`Descriptor::open`] and [`new`](Self::new).
    pub fn open(event_loop: &Loop, name: &str) -> Result<Self> {
        Self::new(event_loop, Descriptor::open(name)?)
    }

    fn of(watch: Rc<Watch>) -> Self {
        Self { watch, reading: None, writing: None }
    }

    /// The descriptor: its addresses, its buffer sizes, and so on.
    pub fn descriptor(&self) -> &Descriptor {
        &self.watch.descriptor
    }

    /// Waits until one of these events is there and returns those that are, as the callback of a
    /// [`Poll`] handle.
    ///
    /// EBADF for an error on the descriptor, the errors of [`Poll::start`]. A read or a write tells
    /// the reason of an EBADF. Readiness may be spurious.
    pub fn ready(&self, events: PollEvents) -> Readiness {
        Readiness { watch: self.watch.clone(), events, waiter: None }
    }

    /// Waits until something can be read or accepted, as [`ready`](Self::ready).
    pub fn readable(&self) -> Readiness {
        self.ready(PollEvents::READABLE)
    }

    /// Waits until something can be written, as [`ready`](Self::ready).
    pub fn writable(&self) -> Readiness {
        self.ready(PollEvents::WRITABLE)
    }

    /// Waits for these events and calls a function, again and again until it answers something else
    /// than EAGAIN. It turns any function of [`Descriptor`] into an async one.
    ///
    /// ```no_run
    /// # use uv_handles::task::AsyncDescriptor;
    /// # use uv_handles::{PollEvents, Result};
    /// # async fn receive(socket: &AsyncDescriptor) -> Result<()> {
    /// let mut buffer = [0; 1500];
    /// let (length, from) =
    ///     socket.when(PollEvents::READABLE, |socket| socket.recv_from(&mut buffer)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn when<T>(
        &self,
        events: PollEvents,
        mut call: impl FnMut(&Descriptor) -> Result<T>,
    ) -> Result<T> {
        loop {
            let ready = self.ready(events).await;
            match call(&self.watch.descriptor) {
                // An error of the wait itself comes again each time, so the loop would never end.
                Err(error) if is_again(error) => drop(ready?),
                // The call has told the reason of an error on the descriptor.
                result => return result,
            }
        }
    }

    /// Waits until there is something to read and reads it, as [`Descriptor::read`]: 0 is the end.
    pub async fn read(&self, buffer: &mut [u8]) -> Result<usize> {
        self.when(PollEvents::READABLE, |descriptor| descriptor.read(buffer)).await
    }

    /// Waits until there is something to read and reads it, at most `max` bytes, as
    /// [`Descriptor::read_vec`]: an empty vector is the end.
    pub async fn read_vec(&self, max: u32) -> Result<Vec<u8>> {
        self.when(PollEvents::READABLE, |descriptor| descriptor.read_vec(max)).await
    }

    /// Writes as many bytes as fit, as [`Descriptor::write`], and waits if none does.
    pub async fn write(&self, bytes: &[u8]) -> Result<usize> {
        match self.watch.descriptor.write(bytes) {
            Err(error) if is_again(error) => {
                self.when(PollEvents::WRITABLE, |descriptor| descriptor.write(bytes)).await
            }
            result => result,
        }
    }

    /// Writes all bytes, and waits as often as needed.
    pub async fn write_all(&self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let written = self.write(bytes).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Waits for a connection and accepts it, as [`Descriptor::accept`], for tasks on the same
    /// loop.
    pub async fn accept(&self) -> Result<Self> {
        let connection = self.when(PollEvents::READABLE, Descriptor::accept).await?;
        Self::new(&self.watch.poll.event_loop(), connection)
    }
}

impl Watch {
    /// The handle's callback: ends the waits whose events are there.
    fn called(&self, ready: Result<PollEvents, StatusCode>) {
        if ready.is_err() {
            // The host has stopped the handle.
            self.events.set(PollEvents::NONE);
        }
        let answers = |waiter: &Waiter| ready.map_or(true, |ready| !(ready & waiter.events).is_empty());
        let answered: Vec<_> = self.waiting.borrow_mut().extract_if(.., |waiter| answers(waiter)).collect();
        for waiter in answered {
            waiter.answer.put(ready.map(|ready| ready & waiter.events).map_err(Error::Status));
        }
        // Cannot be refused: the handle is started already, and now for fewer events.
        let _ = self.update();
    }

    /// Watches for the events that are waited for.
    fn update(&self) -> Result<()> {
        let mut wanted = PollEvents::NONE;
        self.waiting.borrow().iter().for_each(|waiter| wanted |= waiter.events);
        if wanted == self.events.get() {
            return Ok(());
        }
        if wanted.is_empty() {
            self.poll.stop();
        } else {
            self.poll.start(wanted)?;
        }
        self.events.set(wanted);
        Ok(())
    }

    fn wait(&self, waiter: &Rc<Waiter>) -> Result<()> {
        self.waiting.borrow_mut().push(waiter.clone());
        let started = self.update();
        if started.is_err() {
            self.forget(waiter);
        }
        started
    }

    fn forget(&self, waiter: &Rc<Waiter>) {
        let before = self.waiting.borrow().len();
        self.waiting.borrow_mut().retain(|other| !Rc::ptr_eq(other, waiter));
        if self.waiting.borrow().len() < before {
            let _ = self.update();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.poll.close();
    }
}

fn is_again(error: Error) -> bool {
    error == Error::Status(StatusCode::EAGAIN)
}

/// The future that [`AsyncDescriptor::ready`] returns. Dropping it stops the handle, unless another
/// task waits.
#[must_use = "a future does nothing unless it is awaited"]
pub struct Readiness {
    watch: Rc<Watch>,
    events: PollEvents,
    waiter: Option<Rc<Waiter>>,
}

impl Future for Readiness {
    type Output = Result<PollEvents>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Progress<Result<PollEvents>> {
        let this = self.get_mut();
        let waiter = match &this.waiter {
            Some(waiter) => waiter,
            None => {
                let waiter = Rc::new(Waiter { events: this.events, answer: Slot::new() });
                this.watch.wait(&waiter)?;
                this.waiter.insert(waiter)
            }
        };
        let answer = std::task::ready!(waiter.answer.poll_take(cx));
        this.waiter = None;
        Progress::Ready(answer)
    }
}

impl Drop for Readiness {
    fn drop(&mut self) {
        if let Some(waiter) = self.waiter.take() {
            self.watch.forget(&waiter);
        }
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readiness").field("events", &self.events).finish_non_exhaustive()
    }
}

/// A clone is the same descriptor with the same handle.
impl Clone for AsyncDescriptor {
    fn clone(&self) -> Self {
        Self::of(self.watch.clone())
    }
}

impl fmt::Debug for AsyncDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncDescriptor").field(&self.watch.poll).finish()
    }
}

impl AsyncRead for AsyncDescriptor {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Progress<io::Result<usize>> {
        let this = self.get_mut();
        loop {
            let reading = this.reading.get_or_insert_with(|| Readiness {
                watch: this.watch.clone(),
                events: PollEvents::READABLE,
                waiter: None,
            });
            let ready = std::task::ready!(Pin::new(reading).poll(cx));
            this.reading = None;
            match this.watch.descriptor.read(buffer) {
                Err(error) if is_again(error) => drop(ready?),
                result => return Progress::Ready(Ok(result?)),
            }
        }
    }
}

impl AsyncWrite for AsyncDescriptor {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Progress<io::Result<usize>> {
        let this = self.get_mut();
        let mut failed = Ok(PollEvents::NONE);
        loop {
            if let Some(writing) = &mut this.writing {
                failed = std::task::ready!(Pin::new(writing).poll(cx));
                this.writing = None;
            }
            match this.watch.descriptor.write(bytes) {
                Err(error) if is_again(error) => drop(failed?),
                result => return Progress::Ready(Ok(result?)),
            }
            this.writing = Some(this.writable());
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Progress<io::Result<()>> {
        Progress::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Progress<io::Result<()>> {
        match self.watch.descriptor.shutdown(Shutdown::Write) {
            // A pipe ends when it is dropped, and a lost connection has ended.
            Err(Error::Status(StatusCode::ENOTSOCK | StatusCode::ENOTCONN)) => Progress::Ready(Ok(())),
            result => Progress::Ready(Ok(result?)),
        }
    }
}
