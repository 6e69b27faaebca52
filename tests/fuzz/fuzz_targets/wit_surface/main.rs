//! Fuzzes what the host gives to guests: any calls of the WIT interfaces in any order, with the OS at work
//! behind them - sockets, pipes, signals, wake-ups - and with others at work outside.
//!
//! The calls go to the traits that `bindgen!` has made of the WIT package, so everything behind
//! wasmtime's own part is exercised, at thousands of inputs a second. Resources are the only arguments that
//! are not arbitrary: a guest can not forge them either.

#![no_main]

mod descriptors;
mod guest;
mod outside;
mod reserves;

use arbitrary::Arbitrary;
use guest::{Guest, Kind};
use libfuzzer_sys::fuzz_target;
use outside::Outside;
use uv_handles_host::bindings::uv::handles::descriptors::{ShutdownHow, Word};
use uv_handles_host::bindings::uv::handles::types::{PollEvents, RunMode};

fuzz_target!(|calls: Vec<Call>| {
    let before = outside::resources();
    let (mut outside, ctx) = Outside::new();
    let mut guest = Guest::new(ctx);
    // A beginning that nearly everything needs, so that few calls lead far.
    guest.create_loop();
    for name in ["listener", "stream"] {
        guest.open(name.to_owned());
        outside.connect();
    }
    for call in calls {
        if guest.interrupted {
            // None of its code runs any more.
            break;
        }
        make(&mut guest, &mut outside, call);
        guest.check();
    }
    drop((guest, outside));
    assert_eq!(outside::resources(), before, "something is left behind");
});

/// One call of the guest, or something that happens outside. Numbers that stand for a resource are cut to how
/// many there are.
#[derive(Debug, Arbitrary)]
enum Call {
    Loop(LoopCall),
    Make { event_loop: u8, make: Make },
    Handle(u8, HandleCall),
    Descriptor(DescriptorCall),
    Outside(OutsideCall),
    Reserve(u8, ReserveCall),
}

#[derive(Debug, Arbitrary)]
enum LoopCall {
    Create,
    Begin(u8, u8),
    Pull(u8, u32),
    /// Begins a run and pulls a few times.
    Run(u8, u8, u8),
    Stop(u8),
    Close(u8),
    UpdateTime(u8),
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
    Buffers(u32),
    /// A timer's timeout and repeat; of a poll handle the events; of a signal handle the signal.
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
    ReadWord(u8, u32),
    WriteWord(u8, u32, u64),
    RecvFrom(u8, u32),
    Write(u8, Vec<u8>),
    WriteMuch(u8, u16),
    SendTo(u8, Vec<u8>, Address),
    Accept(u8),
    Shutdown(u8, u8),
    Queries(u8),
    SetSendBuffer(u8, u32),
    SetReceiveBuffer(u8, u32),
    Drop(u8),
}

#[derive(Debug, Arbitrary)]
enum ReserveCall {
    Create,
    Make {
        event_loop: u8,
        count: u8,
    },
    /// What is done, and to which handle, which need not be one of the reserve's timers.
    Change(u8, u8, u16, [u64; 2]),
    /// Anything, but to no handle that there is.
    Numbers(u32, Vec<u64>),
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

/// A name to open: mostly one that was granted.
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

/// Where a datagram is to go: nowhere but to this machine.
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
        Call::Reserve(at, call) => match call {
            ReserveCall::Create => guest.create_reserve(),
            ReserveCall::Make { event_loop, count } => guest.make_ahead(at, event_loop, count),
            ReserveCall::Change(handle, operation, position, times) => {
                guest.change(at, handle, operation, position, times);
            }
            ReserveCall::Numbers(position, numbers) => guest.tell(at, position, numbers),
            ReserveCall::Drop => guest.drop_reserve(at),
        },
    }
}

fn of_loop(guest: &mut Guest, call: LoopCall) {
    match call {
        LoopCall::Create => guest.create_loop(),
        LoopCall::Begin(at, mode) => guest.begin(at, run_mode(mode)),
        LoopCall::Run(at, mode, events) => guest.run(at, run_mode(mode), events),
        LoopCall::Pull(at, max) => guest.pull(at, max),
        LoopCall::Stop(at) => guest.stop_loop(at),
        LoopCall::Close(at) => guest.close_loop(at),
        LoopCall::UpdateTime(at) => guest.update_time(at),
        LoopCall::Drop(at) => guest.drop_loop(at),
    }
}

fn run_mode(mode: u8) -> RunMode {
    [RunMode::Default, RunMode::Once, RunMode::Nowait][mode as usize % 3]
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
        HandleCall::Buffers(size) => guest.buffers(at, size),
        HandleCall::Start(first, second) => {
            let all =
                [PollEvents::READABLE, PollEvents::WRITABLE, PollEvents::DISCONNECT, PollEvents::PRIORITIZED];
            let asked = all.into_iter().enumerate().filter(|(bit, _)| second & (1 << bit) != 0);
            let events = asked.fold(PollEvents::empty(), |events, (_, event)| events | event);
            guest.start(at, first, second, events);
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
        DescriptorCall::ReadWord(at, max) => guest.read_word(at, max),
        DescriptorCall::WriteWord(at, length, bytes) => guest.write_word(at, Word { length, bytes }),
        DescriptorCall::RecvFrom(at, max) => guest.recv_from(at, max),
        DescriptorCall::Write(at, bytes) => guest.write(at, bytes),
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
