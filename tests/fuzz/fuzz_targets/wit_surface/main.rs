//! Fuzzes the host's interfaces: random calls of the WIT interfaces, with the real OS behind them.
//!
//! Sockets, pipes, signals and async senders are real, and others use their far ends. The calls go to
//! the traits that `bindgen!` generates from the WIT package: wasmtime's own part is not in it, and a
//! second has thousands of inputs. Resources are the only arguments that are not arbitrary: a guest
//! cannot forge them either.

#![no_main]

mod changes;
mod descriptors;
mod guest;
mod outside;
#[path = "../resources.rs"]
mod resources;
mod runs;

use arbitrary::Arbitrary;
use changes::{Changes, Operate};
use guest::Guest;
use libfuzzer_sys::fuzz_target;
use outside::Outside;
use resources::{Kind, Start, poll_events, run_mode};
use runs::Key;
use uv_handles_host::bindings::uv::handles::descriptors::ShutdownHow;

fuzz_target!(|input: Input| {
    let Input { is_plugin, calls } = input;
    let before = outside::resources();
    let (mut outside, ctx) = Outside::new(is_plugin);
    let mut guest = Guest::new(ctx, is_plugin);
    // Nearly everything needs these, so that few calls lead far.
    guest.create_loop(is_plugin);
    for name in ["listener", "stream"] {
        guest.open(name.to_owned());
        outside.connect();
    }
    for call in calls {
        if guest.interrupted {
            // None of the guest's code runs any more.
            break;
        }
        make(&mut guest, &mut outside, call);
        guest.check();
    }
    drop((guest, outside));
    assert_eq!(outside::resources(), before, "something is left behind");
});

/// A guest, and what happens to it.
#[derive(Debug, Arbitrary)]
struct Input {
    is_plugin: bool,
    calls: Vec<Call>,
}

/// One call of the guest, or something that happens outside. A number that stands for a resource is
/// taken modulo how many there are.
#[derive(Debug, Arbitrary)]
enum Call {
    Loop(LoopCall),
    Make { event_loop: u8, make: Make },
    Handle(u8, HandleCall),
    Descriptor(DescriptorCall),
    Outside(OutsideCall),
    Run(RunCall),
    Pool(u8, PoolCall),
}

#[derive(Debug, Arbitrary)]
enum LoopCall {
    /// By the function for programs, or by the one for plugins.
    Create(bool),
    Stop(u8),
    Close(u8),
    UpdateTime(u8),
    Drop(u8),
}

#[derive(Debug, Arbitrary)]
enum RunCall {
    Begin(u8, u8),
    Next(u8),
    /// Begins a run and takes a few events of it.
    Run(u8, u8, u8),
    BatchNext {
        key: Key,
        max: u32,
        position: Option<u32>,
        pool: Option<u8>,
        changes: Changes,
    },
    NextCallbacks(Key),
    Advance {
        key: Key,
        position: u32,
        pool: Option<u8>,
        changes: Changes,
    },
    Wait(u8),
    Drop(u8),
}

#[derive(Debug, Arbitrary)]
enum Make {
    Timer,
    Idle,
    Prepare,
    Check,
    Async,
    Named(Name),
    Poll(u8),
    Signal,
}

#[derive(Debug, Arbitrary)]
enum HandleCall {
    Close,
    Reference,
    Dereference,
    Receive,
    /// A timer's timeout and repeat, a poll handle's events, or a signal handle's signal.
    Start(u64, u8),
    StartOneshot(i32),
    Again,
    SetRepeat(u64),
    Stop,
    Drop,
}

#[derive(Debug, Arbitrary)]
enum DescriptorCall {
    Open(Name),
    Read(u8, u32),
    ReadShort(u8, u32),
    RecvFrom(u8, u32),
    Write(u8, Vec<u8>),
    WriteMuch(u8, u16),
    WriteShort(u8, u8, u64),
    SendTo(u8, Vec<u8>, Address),
    Accept(u8),
    Shutdown(u8, u8),
    Queries(u8),
    SetSendBuffer(u8, u32),
    SetReceiveBuffer(u8, u32),
    Drop(u8),
}

#[derive(Debug, Arbitrary)]
enum PoolCall {
    Create,
    Allocate {
        event_loop: u8,
        count: u8,
    },
    /// A change of a handle, which need not be one of the pool's timers.
    Flush(u8, Operate),
    Drop,
}

#[derive(Debug, Arbitrary)]
enum OutsideCall {
    /// The other ends write, ...
    Write(u8),
    /// ... read what there is, ...
    Read,
    /// ... and go away.
    HangUp(u8),
    Connect,
    Datagram,
    Raise(u8),
    WakeUp(u8),
    Interrupt,
}

/// A name to open: usually one that was granted.
#[derive(Debug, Arbitrary)]
enum Name {
    Granted(u8),
    Any(String),
}

impl Name {
    fn of(self, granted: &[&str]) -> String {
        match self {
            Name::Granted(at) => granted[at as usize % granted.len()].to_owned(),
            Name::Any(name) => name,
        }
    }
}

/// The destination of a datagram. Those that leave this machine are not sent.
#[derive(Debug, Arbitrary)]
enum Address {
    Peer,
    Port(u16),
    Any(String),
}

fn make(guest: &mut Guest, outside: &mut Outside, call: Call) {
    match call {
        Call::Loop(call) => of_loop(guest, call),
        Call::Make { event_loop, make } => of_making(guest, event_loop, make),
        Call::Handle(at, call) => of_handle(guest, at, call),
        Call::Descriptor(call) => of_descriptor(guest, outside, call),
        Call::Outside(call) => match call {
            OutsideCall::Write(length) => outside.write(length),
            OutsideCall::Read => outside.read(),
            OutsideCall::HangUp(which) => outside.hang_up(which),
            OutsideCall::Connect => outside.connect(),
            OutsideCall::Datagram => outside.datagram(),
            OutsideCall::Raise(which) => outside::raise(which),
            OutsideCall::WakeUp(which) => outside.wake_up(which),
            OutsideCall::Interrupt => outside.interrupt.interrupt(),
        },
        Call::Run(call) => of_run(guest, call),
        Call::Pool(at, call) => match call {
            PoolCall::Create => guest.create_pool(),
            PoolCall::Allocate { event_loop, count } => guest.allocate(at, event_loop, count),
            PoolCall::Flush(handle, operate) => guest.flush(at, handle, operate),
            PoolCall::Drop => guest.drop_pool(at),
        },
    }
}

fn of_loop(guest: &mut Guest, call: LoopCall) {
    match call {
        LoopCall::Create(for_plugin) => guest.create_loop(for_plugin),
        LoopCall::Stop(at) => guest.stop_loop(at),
        LoopCall::Close(at) => guest.close_loop(at),
        LoopCall::UpdateTime(at) => guest.update_time(at),
        LoopCall::Drop(at) => guest.drop_loop(at),
    }
}

fn of_run(guest: &mut Guest, call: RunCall) {
    match call {
        RunCall::Begin(at, mode) => guest.begin(at, run_mode(mode)),
        RunCall::Next(at) => guest.next(at),
        RunCall::Run(at, mode, events) => guest.run(at, run_mode(mode), events),
        RunCall::BatchNext { key, max, position, pool, changes } => {
            guest.batch_next(key, max, position, pool, changes);
        }
        RunCall::NextCallbacks(key) => guest.next_callbacks(key),
        RunCall::Advance { key, position, pool, changes } => guest.advance(key, position, pool, changes),
        RunCall::Wait(at) => guest.wait(at),
        RunCall::Drop(at) => guest.drop_run(at),
    }
}

fn of_making(guest: &mut Guest, event_loop: u8, make: Make) {
    match make {
        Make::Timer => guest.make(event_loop, Kind::Timer),
        Make::Idle => guest.make(event_loop, Kind::Idle),
        Make::Prepare => guest.make(event_loop, Kind::Prepare),
        Make::Check => guest.make(event_loop, Kind::Check),
        Make::Async => guest.make(event_loop, Kind::Async),
        Make::Signal => guest.make(event_loop, Kind::Signal),
        Make::Named(name) => guest.make_named(event_loop, name.of(&outside::WAKE_UPS)),
        Make::Poll(descriptor) => guest.make_poll(event_loop, descriptor),
    }
}

fn of_handle(guest: &mut Guest, at: u8, call: HandleCall) {
    match call {
        HandleCall::Close => guest.close(at),
        HandleCall::Reference => guest.set_referenced(at, true),
        HandleCall::Dereference => guest.set_referenced(at, false),
        HandleCall::Receive => guest.receive(at),
        HandleCall::Start(timeout, second) => {
            let (repeat, signum) = (second.into(), second.into());
            guest.start(at, Start { timeout, repeat, events: poll_events(second), signum });
        }
        HandleCall::StartOneshot(signum) => guest.start_oneshot(at, signum),
        HandleCall::Again => guest.again(at),
        HandleCall::SetRepeat(repeat) => guest.set_repeat(at, repeat),
        HandleCall::Stop => guest.stop(at),
        HandleCall::Drop => guest.drop_handle(at),
    }
}

fn of_descriptor(guest: &mut Guest, outside: &Outside, call: DescriptorCall) {
    match call {
        DescriptorCall::Open(name) => guest.open(name.of(&outside::DESCRIPTORS)),
        DescriptorCall::Read(at, max) => guest.read(at, max),
        DescriptorCall::ReadShort(at, max) => guest.read_short(at, max),
        DescriptorCall::RecvFrom(at, max) => guest.recv_from(at, max),
        DescriptorCall::Write(at, bytes) => guest.write(at, bytes),
        DescriptorCall::WriteShort(at, length, bits) => guest.write_short(at, length, bits),
        DescriptorCall::WriteMuch(at, length) => guest.write(at, vec![7; length.into()]),
        DescriptorCall::SendTo(at, bytes, address) => {
            let address = match address {
                Address::Peer => outside.datagrams_at(),
                Address::Port(port) => format!("127.0.0.1:{port}"),
                Address::Any(address) => address,
            };
            if outside::is_here(&address) {
                guest.send_to(at, bytes, address);
            }
        }
        DescriptorCall::Accept(at) => guest.accept(at),
        DescriptorCall::Shutdown(at, how) => {
            guest.shutdown(at, [ShutdownHow::Read, ShutdownHow::Write, ShutdownHow::Both][how as usize % 3]);
        }
        DescriptorCall::Queries(at) => guest.query_descriptor(at),
        DescriptorCall::SetSendBuffer(at, size) => guest.set_send_buffer_size(at, size),
        DescriptorCall::SetReceiveBuffer(at, size) => guest.set_receive_buffer_size(at, size),
        DescriptorCall::Drop(at) => guest.drop_descriptor(at),
    }
}
