//! The first side: native libuv.
//!
//! The test does not do what libuv forbids. The answer then is the one that docs/semantics.md
//! promises, and each such place names the row of its table of deliberate differences.

mod control;
mod ffi;
mod places;

pub use ffi::error_name;

use crate::peers::Peers;
use ffi::{EINVAL, done, uv_handle_t, uv_loop_t};
use places::Places;
use rustix::fd::AsRawFd;
use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::rc::Rc;
use std::sync::Once;
use uv_handles_conformance_program::{
    Called, Declared, HandleOp, Kind, LoopOp, Mode, OnCalled, Op, Program, Side, Source, Start, What,
};

thread_local! {
    /// The side whose callbacks libuv calls.
    static CURRENT: RefCell<Option<Rc<Libuv>>> = const { RefCell::new(None) };
}

fn current() -> Rc<Libuv> {
    CURRENT.with_borrow(|current| current.clone()).expect("libuv runs only for a side")
}

/// Native libuv as a side.
#[derive(Debug)]
pub struct Native(Rc<Libuv>);

struct Libuv {
    peers: Peers,
    on_called: OnCalled,
    loops: Places,
    /// All handles lie in one array in order of creation, so libuv's order by address is the same.
    places: Places,
    made_loops: Cell<usize>,
    /// The handle at each place.
    made: RefCell<Vec<Made>>,
    /// The place of each handle.
    place_of: RefCell<Vec<Option<usize>>>,
    states: RefCell<Vec<LoopState>>,
    guards: usize,
    guarded: bool,
}

impl std::fmt::Debug for Libuv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Libuv").field("made", &self.made).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy)]
struct Made {
    handle: usize,
    declared: Declared,
    callback: u32,
    close_callback: bool,
    closed: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct LoopState {
    closed: bool,
    running: bool,
}

impl Native {
    /// A side for the program, which has guards behind its handles already.
    pub fn new(program: &Program, on_called: OnCalled) -> Native {
        let handles = program.handles.len() + program.loops;
        // SAFETY: these two only return sizes.
        let (loop_size, handle_size) = unsafe {
            let sizes = ffi::KINDS.map(|kind| ffi::uv_handle_size(kind)).filter(|&size| size != usize::MAX);
            (ffi::uv_loop_size(), sizes.max().unwrap_or(0))
        };
        let libuv = Rc::new(Libuv {
            peers: Peers::new(program),
            on_called,
            loops: Places::new(loop_size, program.loops),
            places: Places::new(handle_size, handles),
            made_loops: Cell::new(0),
            made: RefCell::default(),
            place_of: RefCell::new(vec![None; handles]),
            states: RefCell::default(),
            guards: program.handles.len(),
            guarded: program.guarded,
        });
        control::set_now(0);
        CURRENT.set(Some(libuv.clone()));
        catch_signals_for_good();
        Native(libuv)
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        CURRENT.set(None);
        let states = self.0.states.borrow();
        assert!(states.iter().all(|state| state.closed), "a loop was left open");
    }
}

impl Side for Native {
    fn make_loop(&self) {
        let libuv = &self.0;
        let at = libuv.made_loops.replace(libuv.made_loops.get() + 1);
        // SAFETY: a place for a loop that holds none yet.
        let status = unsafe { ffi::uv_loop_init(libuv.event_loop(at)) };
        assert_eq!(status, 0, "uv_loop_init: {}", error_name(status));
        libuv.states.borrow_mut().push(LoopState::default());
    }

    fn perform(&self, op: &Op, program: &Program) -> String {
        match op {
            Op::Handle(handle, HandleOp::Make) => self.0.make(*handle, program.handles[*handle]),
            Op::Handle(handle, op) => self.0.handle_op(*handle, op),
            Op::Loop(at, op) => self.0.loop_op(*at, *op),
            Op::Source(pair, op) => self.0.peers.perform(*pair, *op),
            Op::Raise(signum) => crate::raise(*signum),
            Op::Burn(milliseconds) => {
                control::set_now(control::now() + milliseconds);
                "ok".into()
            }
        }
    }
}

impl Libuv {
    fn event_loop(&self, at: usize) -> *mut uv_loop_t {
        self.loops.at(at)
    }

    fn place(&self, handle: usize) -> usize {
        self.place_of.borrow()[handle].expect("only made handles are used")
    }

    fn make(&self, handle: usize, declared: Declared) -> String {
        if self.states.borrow()[declared.owner].closed {
            return LOOP_CLOSED.into();
        }
        let place = self.made.borrow().len();
        let (event_loop, raw) = (self.event_loop(declared.owner), self.places.at::<uv_handle_t>(place));
        let fd = || self.peers.fd(declared.source).as_raw_fd();
        // SAFETY: an open loop, and a place that holds no handle yet.
        let status = unsafe {
            match declared.kind {
                Kind::Timer => ffi::uv_timer_init(event_loop, raw),
                Kind::Idle => ffi::uv_idle_init(event_loop, raw),
                Kind::Prepare => ffi::uv_prepare_init(event_loop, raw),
                Kind::Check => ffi::uv_check_init(event_loop, raw),
                Kind::Async => ffi::uv_async_init(event_loop, raw, on_callback),
                Kind::Poll => ffi::uv_poll_init(event_loop, raw, fd()),
                Kind::Signal => ffi::uv_signal_init(event_loop, raw),
            }
        };
        if status == 0 {
            // SAFETY: it has just been made.
            unsafe { ffi::uv_handle_set_data(raw, place as *mut c_void) };
            let made = Made { handle, declared, callback: 0, close_callback: false, closed: false };
            self.made.borrow_mut().push(made);
            self.place_of.borrow_mut()[handle] = Some(place);
        }
        done(status)
    }

    fn handle_op(&self, handle: usize, op: &HandleOp) -> String {
        let place = self.place(handle);
        let raw = self.places.at::<uv_handle_t>(place);
        let made = self.made.borrow()[place];
        // SAFETY: a handle that was made at this place, whose memory stays until the side is
        // dropped.
        let (active, closing, referenced) =
            unsafe { (ffi::uv_is_active(raw), ffi::uv_is_closing(raw) != 0, ffi::uv_has_ref(raw)) };
        match op {
            HandleOp::Active => return flag(active),
            HandleOp::Closing => return flag(closing.into()),
            // Right after the close callback, not before it.
            HandleOp::Closed => return flag(made.closed.into()),
            HandleOp::Referenced => return flag(c_int::from(referenced != 0 && !made.closed)),
            HandleOp::SetCallback(callback) => {
                self.made.borrow_mut()[place].callback = *callback;
                return "ok".into();
            }
            // Forbidden by libuv on a closing handle; there it does nothing.
            HandleOp::Stop | HandleOp::Close | HandleOp::CloseWith if closing => return "ok".into(),
            _ if closing => return "handle-closed".into(),
            _ => {}
        }
        // SAFETY: as above, and the handle is not closing.
        unsafe { self.open_handle_op(place, raw, made, op) }
    }

    /// # Safety
    ///
    /// There is such a handle, and it is not closing.
    unsafe fn open_handle_op(
        &self,
        place: usize,
        raw: *mut uv_handle_t,
        made: Made,
        op: &HandleOp,
    ) -> String {
        let kind = made.declared.kind;
        let with = match op {
            HandleOp::Start { with, .. } | HandleOp::Send { with } => *with,
            _ => None,
        };
        let replace = |status: c_int| {
            if let (0, Some(callback)) = (status, with) {
                // Also on an active idle, prepare or check handle.
                self.made.borrow_mut()[place].callback = callback;
            }
            done(status)
        };
        // SAFETY: the caller's.
        unsafe {
            match op {
                HandleOp::Start { start: Start::Timer { timeout, repeat }, .. } => {
                    replace(ffi::uv_timer_start(raw, on_callback, *timeout, *repeat))
                }
                HandleOp::Start { start: Start::Watcher, .. } => replace(match kind {
                    Kind::Idle => ffi::uv_idle_start(raw, on_callback),
                    Kind::Prepare => ffi::uv_prepare_start(raw, on_callback),
                    _ => ffi::uv_check_start(raw, on_callback),
                }),
                HandleOp::Start { start: Start::Poll { events }, .. } => {
                    replace(ffi::uv_poll_start(raw, (*events).into(), on_poll))
                }
                HandleOp::Start { start: Start::Signal { signum, oneshot }, .. } => {
                    replace(start_signal(raw, *signum, *oneshot))
                }
                // Another one that is active on the descriptor stays so.
                HandleOp::Stop if kind == Kind::Poll && ffi::uv_is_active(raw) == 0 => done(0),
                HandleOp::Stop => done(match kind {
                    Kind::Timer => ffi::uv_timer_stop(raw),
                    Kind::Idle => ffi::uv_idle_stop(raw),
                    Kind::Prepare => ffi::uv_prepare_stop(raw),
                    Kind::Check => ffi::uv_check_stop(raw),
                    Kind::Poll => ffi::uv_poll_stop(raw),
                    Kind::Signal => ffi::uv_signal_stop(raw),
                    Kind::Async => 0,
                }),
                HandleOp::Again => done(ffi::uv_timer_again(raw)),
                HandleOp::Repeat => ffi::uv_timer_get_repeat(raw).to_string(),
                HandleOp::SetRepeat(repeat) => {
                    ffi::uv_timer_set_repeat(raw, *repeat);
                    done(0)
                }
                HandleOp::DueIn => ffi::uv_timer_get_due_in(raw).to_string(),
                HandleOp::Signum => ffi::conformance_signal_number(raw).to_string(),
                HandleOp::Send { .. } => replace(ffi::uv_async_send(raw)),
                HandleOp::Reference => {
                    ffi::uv_ref(raw);
                    done(0)
                }
                HandleOp::Dereference => {
                    ffi::uv_unref(raw);
                    done(0)
                }
                HandleOp::Fileno => {
                    let mut fd = 0;
                    match ffi::uv_fileno(raw, &mut fd) {
                        // A descriptor's number is the guest's own.
                        0 if fd == self.peers.fd(made.declared.source).as_raw_fd() => "its descriptor".into(),
                        0 => "another descriptor".into(),
                        error => error_name(error),
                    }
                }
                // On every kind of handle, where libuv says ENOTSUP.
                HandleOp::Buffers => error_name(EINVAL),
                HandleOp::Close | HandleOp::CloseWith => {
                    match kind {
                        // A handle closed with a delivery pending is closed without delay.
                        Kind::Signal => ffi::conformance_signal_forget_caught(raw),
                        // Another one that is active on the descriptor stays so.
                        Kind::Poll if ffi::uv_is_active(raw) == 0 => {
                            let unused = self.peers.fd(Source::File).as_raw_fd();
                            ffi::conformance_poll_forget_descriptor(raw, unused);
                        }
                        _ => {}
                    }
                    self.made.borrow_mut()[place].close_callback = *op == HandleOp::CloseWith;
                    ffi::uv_close(raw, Some(on_close));
                    done(0)
                }
                HandleOp::Make
                | HandleOp::SetCallback(_)
                | HandleOp::Active
                | HandleOp::Closing
                | HandleOp::Closed
                | HandleOp::Referenced => unreachable!("answered before"),
            }
        }
    }

    fn loop_op(&self, at: usize, op: LoopOp) -> String {
        let event_loop = self.event_loop(at);
        let state = self.states.borrow()[at];
        if state.closed {
            return match op {
                LoopOp::Alive => flag(0),
                LoopOp::Closed => flag(1),
                LoopOp::Walk => "[]".into(),
                LoopOp::Stop | LoopOp::Close => done(0),
                _ => LOOP_CLOSED.into(),
            };
        }
        // SAFETY: the loop is open. It is not run inside of its own callbacks.
        unsafe {
            match op {
                LoopOp::Run(_) | LoopOp::Close if state.running => error_name(-libc::EBUSY),
                LoopOp::Run(mode) => {
                    self.states.borrow_mut()[at].running = true;
                    let alive = ffi::uv_run(event_loop, run_mode(mode));
                    self.states.borrow_mut()[at].running = false;
                    flag(alive)
                }
                LoopOp::Stop => {
                    ffi::uv_stop(event_loop);
                    done(0)
                }
                LoopOp::UpdateTime => {
                    ffi::uv_update_time(event_loop);
                    done(0)
                }
                LoopOp::Now => ffi::uv_now(event_loop).to_string(),
                LoopOp::Alive => flag(ffi::uv_loop_alive(event_loop)),
                // Otherwise libuv answers 0: it checks no further before it has told the OS.
                LoopOp::Timeout if ffi::conformance_watcher_queue_is_empty(event_loop) == 0 => "?".into(),
                LoopOp::Timeout => match ffi::uv_backend_timeout(event_loop) {
                    -1 => "none".into(),
                    timeout => timeout.to_string(),
                },
                LoopOp::Walk => {
                    let mut handles = Vec::<usize>::new();
                    ffi::uv_walk(event_loop, on_walk, (&raw mut handles).cast());
                    format!("{handles:?}")
                }
                LoopOp::Close => {
                    let status = ffi::uv_loop_close(event_loop);
                    self.states.borrow_mut()[at].closed = status == 0;
                    done(status)
                }
                LoopOp::Closed => flag(0),
                LoopOp::Finish => unreachable!("the interpreter takes it apart"),
            }
        }
    }
}

const LOOP_CLOSED: &str = "loop-closed";

/// # Safety
///
/// A signal handle that is not closing.
unsafe fn start_signal(raw: *mut uv_handle_t, signum: c_int, oneshot: bool) -> c_int {
    // SAFETY: the caller's.
    unsafe {
        if crate::FORBIDDEN_SIGNALS.contains(&signum) {
            // Accepted by libuv. Like any other that is invalid it leaves the handle stopped.
            ffi::uv_signal_stop(raw);
            return EINVAL;
        }
        if oneshot {
            return ffi::uv_signal_start_oneshot(raw, on_signal, signum);
        }
        if signum != 0 && ffi::conformance_signal_is_oneshot(raw) != 0 {
            // A plain start makes a one-shot handle repeating.
            ffi::uv_signal_stop(raw);
            ffi::conformance_signal_make_lasting(raw);
        }
        ffi::uv_signal_start(raw, on_signal, signum)
    }
}

/// Watches every signal that programs raise, on a loop that is never run.
///
/// For a signal that only one-shot handles watch, libuv asks the OS to forget the handler at the
/// first delivery, and does not always ask for it again. Here every delivery counts.
fn catch_signals_for_good() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: these only return sizes.
        let sizes = unsafe { (ffi::uv_loop_size(), ffi::uv_handle_size(ffi::SIGNAL)) };
        let (loops, handles) = (Places::new(sizes.0, 1), Places::new(sizes.1, crate::SIGNALS.len()));
        // SAFETY: the places hold nothing yet, and are never given up.
        unsafe {
            assert_eq!(ffi::uv_loop_init(loops.at(0)), 0, "there are descriptors");
            for (place, &signum) in crate::SIGNALS.iter().enumerate() {
                ffi::uv_signal_init(loops.at(0), handles.at(place));
                assert_eq!(ffi::uv_signal_start(handles.at(place), on_ignored_signal, signum), 0);
            }
        }
        std::mem::forget((loops, handles));
    });
}

extern "C" fn on_ignored_signal(_: *mut uv_handle_t, _: c_int) {}

fn run_mode(mode: Mode) -> c_int {
    match mode {
        Mode::Default => 0,
        Mode::Once => 1,
        Mode::NoWait => 2,
    }
}

fn flag(value: c_int) -> String {
    (value != 0).to_string()
}

fn called(raw: *mut uv_handle_t, what: impl FnOnce(&Made) -> What) {
    let libuv = current();
    let made = libuv.made.borrow()[place_of(raw)];
    (libuv.on_called)(Called { handle: made.handle, what: what(&made) });
}

fn place_of(raw: *const uv_handle_t) -> usize {
    // SAFETY: libuv passes handles that were made, and their data is their place.
    unsafe { ffi::uv_handle_get_data(raw) as usize }
}

extern "C" fn on_callback(raw: *mut uv_handle_t) {
    called(raw, |made| What::Callback(made.callback));
}

extern "C" fn on_poll(raw: *mut uv_handle_t, status: c_int, events: c_int) {
    let events = if status < 0 { Err(error_name(status)) } else { Ok(events as u8) };
    called(raw, |made| What::Poll(made.callback, events));
}

extern "C" fn on_signal(raw: *mut uv_handle_t, signum: c_int) {
    called(raw, |made| What::Signal(made.callback, signum));
}

extern "C" fn on_close(raw: *mut uv_handle_t) {
    let libuv = current();
    let place = place_of(raw);
    if libuv.made.borrow()[place].close_callback {
        called(raw, |_| What::Closed);
    }
    libuv.made.borrow_mut()[place].closed = true;
}

extern "C" fn on_walk(raw: *mut uv_handle_t, handles: *mut c_void) {
    let handle = current().made.borrow()[place_of(raw)].handle;
    // SAFETY: `loop_op` passes the address of this list.
    unsafe { (*handles.cast::<Vec<usize>>()).push(handle) };
}

/// Sends the async handle that ends a wait that no other event would end.
fn send_guards() {
    let libuv = current();
    assert!(!libuv.guarded, "a guarded loop always has a timer");
    for guard in libuv.guards..libuv.place_of.borrow().len() {
        let raw = libuv.places.at::<uv_handle_t>(libuv.place(guard));
        // SAFETY: guards are made before all else; a closing one is not sent.
        unsafe {
            if ffi::uv_is_closing(raw) == 0 {
                ffi::uv_async_send(raw);
            }
        }
    }
}

/// The sort key of one wait's events: the order of creation of the poll handles that are active on
/// the descriptors, with libuv's own descriptors first.
fn order_of_descriptor(epoll: c_int, fd: c_int) -> Option<usize> {
    let libuv = current();
    let made = libuv.made.borrow();
    let mut polls = made.iter().enumerate().filter(|(_, made)| made.declared.kind == Kind::Poll);
    let active = polls.find(|(place, made)| {
        let raw = libuv.places.at::<uv_handle_t>(*place);
        // SAFETY: a handle that was made, and the loop of one that is active is open.
        let in_this_wait = unsafe {
            ffi::uv_is_active(raw) != 0 && ffi::uv_backend_fd(libuv.event_loop(made.declared.owner)) == epoll
        };
        in_this_wait && libuv.peers.fd(made.declared.source).as_raw_fd() == fd
    });
    active.map(|(place, _)| place)
}

/// The cached time of the loop that waits with this epoll descriptor.
fn cached_now(epoll: c_int) -> u64 {
    let libuv = current();
    let mut loops = (0..libuv.made_loops.get()).map(|at| libuv.event_loop(at));
    // SAFETY: loops that were made; a closed one has no backend descriptor.
    let waiting = loops.find(|&event_loop| unsafe { ffi::uv_backend_fd(event_loop) } == epoll);
    let waiting = waiting.expect("a loop waits");
    // SAFETY: as above.
    unsafe { ffi::uv_now(waiting) }
}

/// Whether this is a descriptor of the program's and no poll handle is active on it.
fn is_stale(epoll: c_int, fd: c_int) -> bool {
    current().peers.has(fd) && order_of_descriptor(epoll, fd).is_none()
}
