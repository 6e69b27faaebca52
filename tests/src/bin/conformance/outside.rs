//! The environment of a guest that runs a program: the peers' ends of the socket pairs, the clock
//! and signals, and the guest's grants.

use crate::program::wait::{self, Controlled};
use uv_handles_conformance::{Peers, raise};
use uv_handles_conformance_program::{Op, Program, Source, script};
use uv_handles_host::{UvCtx, VirtualClock};

/// The environment of one run of a program.
pub struct Outside {
    peers: Peers,
    clock: VirtualClock,
}

impl Outside {
    /// The environment that the program needs.
    pub fn new(program: &Program) -> Outside {
        Outside { peers: Peers::new(program), clock: VirtualClock::new() }
    }

    /// The context of a guest that runs the program in this thread. Its waits are under control
    /// until the returned guard is dropped.
    pub fn grant(&self, program: &Program) -> (UvCtx, Controlled) {
        let mut uv = UvCtx::builder();
        uv.virtual_clock(&self.clock);
        let sources = (0..self.peers.len()).map(|pair| (format!("pair{pair}"), Source::Pair(pair)));
        for (name, source) in sources.chain([("file".to_owned(), Source::File)]) {
            let fd = self.peers.fd(source).try_clone_to_owned().expect("there are descriptors");
            uv.descriptor(name, fd).expect("it can be switched to non-blocking mode");
        }
        for signum in 1..=64 {
            uv.signal(signum);
        }
        let guards: Vec<_> =
            (0..program.loops).map(|owner| uv.async_sender(format!("guard{owner}"))).collect();
        let waits = wait::controlled(move || {
            for guard in &guards {
                // Refused where the loop is closed.
                let _ = guard.send();
            }
        });
        (uv.build(), waits)
    }

    /// The guest's clock.
    pub fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// Does a step that a guest cannot do, and returns its answer.
    pub fn perform(&self, step: &str) -> String {
        match script::parse_step(step) {
            Ok(Op::Source(pair, op)) => self.peers.perform(pair, op),
            Ok(Op::Raise(signum)) => raise(signum),
            Ok(Op::Burn(milliseconds)) => {
                self.clock.advance(milliseconds);
                "ok".into()
            }
            Ok(op) => format!("{op} is for the guest itself"),
            Err(error) => error,
        }
    }
}
