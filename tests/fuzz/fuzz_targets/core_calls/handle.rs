//! The model's record of a handle.

use arbitrary::Arbitrary;
use uv_handles_core::{HandleId, LoopId, PoolId};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
pub enum Kind {
    Timer,
    Idle,
    Prepare,
    Check,
    Async,
    Poll,
    Signal,
}

impl Kind {
    pub fn is_timer(self) -> bool {
        self == Kind::Timer
    }

    pub fn is_watcher(self) -> bool {
        matches!(self, Kind::Idle | Kind::Prepare | Kind::Check)
    }

    pub fn is_async(self) -> bool {
        self == Kind::Async
    }

    pub fn is_poll(self) -> bool {
        self == Kind::Poll
    }

    pub fn is_signal(self) -> bool {
        self == Kind::Signal
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Open,
    Closing,
    /// Its close callback is running.
    Called,
    Closed,
}

/// A handle that has not been released.
pub struct Handle {
    pub id: HandleId,
    pub owner: LoopId,
    pub kind: Kind,
    pub token: u64,
    pub stage: Stage,
    pub referenced: bool,
    /// The pool that it was allocated from.
    pub pool: Option<PoolId>,
}
