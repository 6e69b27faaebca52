//! Makes a program from a seed.
//!
//! Most handles are made and started before the first run, many programs have handles of few kinds,
//! and an event occurs for each of them, so callbacks of all kinds occur. The rest is random.

use crate::{FORBIDDEN_SIGNALS, SIGNALS};
use fastrand::Rng;
use uv_handles_conformance_program::{
    Declared, HandleOp, Kind, LoopOp, Mode, Op, Place, Program, Source, SourceOp, Start,
};

/// The program of a seed, with handles of these kinds. Half of all programs are guarded, unless all
/// are to be guarded.
pub fn generate(seed: u64, kinds: &[Kind], guarded: bool) -> Program {
    let mut rng = Rng::with_seed(seed);
    // Handles of few kinds have more to do with each other.
    let few: Vec<Kind> = (0..rng.usize(1..=3)).map(|_| kinds[rng.usize(..kinds.len())]).collect();
    let kinds = if rng.bool() { &few } else { kinds };
    let loops = [1, 1, 1, 2, 2, 3][rng.usize(..6)];
    let pairs = rng.usize(1..=3);
    let mut count = rng.usize(1..=10);
    // A loop keeps many timers in another structure than few.
    let is_crowd = seed % 16 == 15 && kinds.contains(&Kind::Timer);
    let (kinds, loops) = if is_crowd { (&[Kind::Timer][..], 1) } else { (kinds, loops) };
    if is_crowd {
        count += 8;
    }
    let handles = (0..count).map(|_| {
        let kind = kinds[rng.usize(..kinds.len())];
        let source = match kind {
            Kind::Poll if rng.u8(..12) == 0 => Source::File,
            Kind::Poll => Source::Pair(rng.usize(..pairs)),
            _ => Source::Pair(0),
        };
        Declared { kind, owner: if rng.bool() { 0 } else { rng.usize(..loops) }, source }
    });
    let handles = handles.collect();
    let program = Program { loops, guarded: rng.bool() || guarded, handles, ..Program::default() };
    let mut generator = Generator { rng, program, callbacks: 0 };
    generator.main();
    for handle in 0..generator.program.handles.len() {
        generator.bodies(handle);
    }
    generator.program
}

struct Generator {
    rng: Rng,
    program: Program,
    /// The number of callbacks that have been given out.
    callbacks: u32,
}

impl Generator {
    fn chance(&mut self, of_a_hundred: u8) -> bool {
        self.rng.u8(..100) < of_a_hundred
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.rng.usize(..all.len())]
    }

    fn main(&mut self) {
        let mut ops = Vec::new();
        // In some programs nothing but timers keeps a loop alive.
        let only_timers = self.chance(15);
        for handle in 0..self.program.handles.len() {
            let dereferenced = only_timers && self.program.handles[handle].kind != Kind::Timer;
            if self.chance(80) {
                ops.push(Op::Handle(handle, HandleOp::Make));
                if self.chance(80) {
                    ops.extend(self.go(handle));
                }
                if self.chance(if dereferenced { 95 } else { 20 }) {
                    ops.push(Op::Handle(handle, HandleOp::Dereference));
                }
            }
            if self.chance(15) {
                ops.extend(self.any_op());
            }
        }
        for _ in 0..self.rng.usize(1..=4) {
            for _ in 0..self.rng.usize(..=3) {
                ops.extend(self.any_op());
            }
            // Events for the handles that wait for them.
            for handle in 0..self.program.handles.len() {
                if self.chance(if self.program.handles[handle].kind == Kind::Signal { 70 } else { 45 }) {
                    ops.extend(self.cause(handle));
                }
                if self.chance(6) {
                    ops.push(Op::Handle(handle, HandleOp::CloseWith));
                }
            }
            let owner = if self.chance(70) { 0 } else { self.rng.usize(..self.program.loops) };
            ops.push(Op::Loop(owner, self.run()));
        }
        for _ in 0..self.rng.usize(..=2) {
            ops.extend(self.any_op());
        }
        self.program.main = ops;
    }

    fn bodies(&mut self, handle: usize) {
        for nth in 1..=3 {
            self.body(Place { handle, closed: false, nth });
        }
        self.body(Place { handle, closed: true, nth: 1 });
    }

    fn body(&mut self, place: Place) {
        if self.chance(85) {
            let ops: Vec<Op> = (0..self.rng.usize(1..=12)).filter_map(|_| self.any_op()).collect();
            if !ops.is_empty() {
                self.program.bodies.insert(place, ops);
            }
        }
    }

    /// A run; most take their time.
    fn run(&mut self) -> LoopOp {
        LoopOp::Run(self.one_of(&[Mode::Default, Mode::Default, Mode::Once, Mode::NoWait]))
    }

    fn any_op(&mut self) -> Option<Op> {
        match self.rng.u8(..100) {
            0..73 => {
                let handle = self.rng.usize(..self.program.handles.len());
                self.handle_op(handle)
            }
            73..84 => {
                let owner = self.rng.usize(..self.program.loops);
                Some(Op::Loop(owner, self.loop_op()))
            }
            84..90 => Some(Op::Burn(self.one_of(&[0, 1, 1, 2, 5, 10, 100]))),
            90..94 => Some(Op::Raise(self.one_of(&SIGNALS))),
            _ => {
                let pair = self.rng.usize(..3);
                Some(Op::Source(pair, self.source_op()))
            }
        }
    }

    fn loop_op(&mut self) -> LoopOp {
        // Closing a whole loop leaves few events on it.
        match self.one_of(&LoopOp::ALL) {
            LoopOp::Finish if !self.chance(90) => LoopOp::Walk,
            LoopOp::Run(_) => self.run(),
            op => op,
        }
    }

    fn source_op(&mut self) -> SourceOp {
        if self.chance(50) {
            return SourceOp::PeerWrite(1);
        }
        match self.one_of(&SourceOp::ALL) {
            SourceOp::PeerWrite(_) => SourceOp::PeerWrite(self.one_of(&[1, 10, 100])),
            SourceOp::PeerReset if self.chance(50) => SourceOp::PeerWrite(1),
            op => op,
        }
    }

    /// An event that makes a started handle call back.
    fn cause(&mut self, handle: usize) -> Option<Op> {
        let Declared { kind, source, .. } = self.program.handles[handle];
        match (kind, source) {
            (Kind::Async, _) => Some(Op::Handle(handle, HandleOp::Send { with: self.with() })),
            (Kind::Signal, _) => Some(Op::Raise(self.its_signal(handle))),
            (Kind::Poll, Source::Pair(pair)) => Some(Op::Source(pair, self.source_op())),
            _ => None,
        }
    }

    /// A start, or the closest operation.
    fn go(&mut self, handle: usize) -> Option<Op> {
        let start = match self.program.handles[handle].kind {
            Kind::Timer => Start::Timer { timeout: self.timeout(), repeat: self.repeat() },
            Kind::Idle | Kind::Prepare | Kind::Check => Start::Watcher,
            Kind::Poll => Start::Poll { events: self.one_of(&[1, 1, 1, 2, 3, 3, 4, 5, 7, 8, 9, 15, 0]) },
            Kind::Signal => Start::Signal { signum: self.signum(handle), oneshot: self.chance(35) },
            Kind::Async => return self.cause(handle),
        };
        Some(Op::Handle(handle, HandleOp::Start { start, with: self.with() }))
    }

    fn handle_op(&mut self, handle: usize) -> Option<Op> {
        let kind = self.program.handles[handle].kind;
        let op = match self.rng.u8(..100) {
            0..24 => HandleOp::Make,
            24..35 => return self.go(handle),
            35..41 => HandleOp::Stop,
            41..46 => HandleOp::Close,
            46..51 => HandleOp::CloseWith,
            51..55 => HandleOp::Reference,
            55..59 => HandleOp::Dereference,
            59..63 => HandleOp::Active,
            63..67 => HandleOp::Closing,
            67..71 => HandleOp::Closed,
            71..75 => HandleOp::Referenced,
            75..79 => HandleOp::Fileno,
            79..83 => HandleOp::Buffers,
            83..87 => {
                self.callbacks += 1;
                HandleOp::SetCallback(self.callbacks)
            }
            _ => match kind {
                Kind::Timer => match self.rng.u8(..4) {
                    0 => HandleOp::Again,
                    1 => HandleOp::Repeat,
                    2 => HandleOp::SetRepeat(self.repeat()),
                    _ => HandleOp::DueIn,
                },
                Kind::Signal => match self.rng.bool() {
                    true => HandleOp::Signum,
                    false => return self.cause(handle),
                },
                Kind::Async => HandleOp::Send { with: self.with() },
                Kind::Poll => return self.cause(handle),
                _ => return self.go(handle),
            },
        };
        op.fits(kind).then_some(Op::Handle(handle, op))
    }

    fn timeout(&mut self) -> u64 {
        let huge = [1 << 32, (1 << 31) - 1, 1 << 63, u64::MAX, u64::MAX - 1];
        match self.program.guarded && self.chance(10) {
            true => self.one_of(&huge),
            false => self.one_of(&[0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 5, 10, 64, 100, 1000]),
        }
    }

    fn repeat(&mut self) -> u64 {
        match self.program.guarded && self.chance(5) {
            true => self.one_of(&[1 << 40, u64::MAX]),
            false => self.one_of(&[0, 0, 0, 1, 1, 2, 5, 10, 100]),
        }
    }

    /// The signal that a handle watches most of the time.
    fn its_signal(&mut self, handle: usize) -> i32 {
        if self.chance(80) { SIGNALS[handle % 2] } else { self.one_of(&SIGNALS) }
    }

    fn signum(&mut self, handle: usize) -> i32 {
        match self.rng.u8(..100) {
            0..85 => self.its_signal(handle),
            85..90 => self.one_of(&FORBIDDEN_SIGNALS),
            _ => self.one_of(&[0, -1, 65, 1000, 9, 19]),
        }
    }

    fn with(&mut self) -> Option<u32> {
        self.callbacks += 1;
        self.chance(60).then_some(self.callbacks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uv_handles_conformance_program::script;

    #[test]
    fn a_seed_gives_the_same_program_and_its_script_reads_back() {
        for seed in 0..200 {
            let program = generate(seed, &Kind::ALL, false);
            assert_eq!(program, generate(seed, &Kind::ALL, false));
            assert!(generate(seed, &Kind::ALL, true).guarded);
            assert_eq!(script::parse(&program.to_string()), Ok(program));
        }
    }
}
