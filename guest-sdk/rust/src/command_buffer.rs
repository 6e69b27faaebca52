//! Changes of timers that have been made and not yet flushed to the host.

use crate::imports::batch::{Change, OpenAndStartTimer, OpenTimer, Operation, StartTimer, TimerNumber};

/// The longest a command buffer becomes before it is flushed.
const CAPACITY: usize = 1024;

/// Changes in the order in which they were made, as the calls of the interface `batch` take them.
#[derive(Debug, Default)]
pub(crate) struct CommandBuffer(Vec<Change>);

impl CommandBuffer {
    /// An empty buffer.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.0
    }

    /// Adds an operation that the callback at this position of its batch has made. A start merges
    /// with the opening of the same timer right before it, and takes the place of a stop or start
    /// there: `uv_timer_start` stops a timer first.
    // Inlined because every caller knows the operation: nothing is left of the matches.
    #[inline(always)]
    pub(crate) fn push(&mut self, position: u32, operation: Operation) {
        if let Operation::Start(start) = operation
            && let Some(last) = self.0.last_mut()
            && last.position == position
        {
            match last.operation {
                Operation::Open(OpenTimer { timer, token }) if timer == start.timer => {
                    let StartTimer { timeout, repeat, .. } = start;
                    let both = OpenAndStartTimer { timer, token, timeout, repeat };
                    last.operation = Operation::OpenAndStart(both);
                    return;
                }
                Operation::Stop(timer) | Operation::Start(StartTimer { timer, .. })
                    if timer == start.timer =>
                {
                    last.operation = operation;
                    return;
                }
                _ => {}
            }
        }
        self.0.push(Change { position, operation });
    }

    /// Whether the last change is one of this timer.
    pub(crate) fn last_is_of(&self, number: TimerNumber) -> bool {
        self.0.last().is_some_and(|last| match last.operation {
            Operation::Open(OpenTimer { timer, .. })
            | Operation::OpenAndStart(OpenAndStartTimer { timer, .. })
            | Operation::Stop(timer)
            | Operation::Close(timer) => timer == number,
            Operation::Start(start) => start.timer == number,
            Operation::CloseOwn => false,
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.0.len() >= CAPACITY
    }

    /// Removes all changes and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, CommandBuffer};
    use crate::imports::batch::Operation::{Close, CloseOwn, Open, OpenAndStart, Start, Stop};
    use crate::imports::batch::{OpenAndStartTimer, OpenTimer, Operation, StartTimer};

    /// The changes in the buffer after these pushes, in the notation of `Debug`.
    fn pushed(all: &[(u32, Operation)]) -> Vec<String> {
        let mut buffer = CommandBuffer::new();
        all.iter().for_each(|&(position, operation)| buffer.push(position, operation));
        let shown = |change: &super::Change| format!("{}: {:?}", change.position, change.operation);
        buffer.changes().iter().map(shown).collect()
    }

    fn open(timer: u32) -> Operation {
        Open(OpenTimer { timer, token: 9 })
    }

    fn start(timer: u32) -> Operation {
        Start(StartTimer { timer, timeout: 5, repeat: 6 })
    }

    fn open_and_start(timer: u32) -> Operation {
        OpenAndStart(OpenAndStartTimer { timer, token: 9, timeout: 5, repeat: 6 })
    }

    #[test]
    fn a_start_merges_with_the_opening_right_before_it() {
        assert_eq!(pushed(&[(1, open(3)), (1, start(3))]), pushed(&[(1, open_and_start(3))]));
        assert_eq!(
            pushed(&[(1, open(3)), (1, start(3)), (1, start(3))]),
            pushed(&[(1, open_and_start(3)), (1, start(3))])
        );
    }

    #[test]
    fn a_start_takes_the_place_of_a_stop_or_start_right_before_it() {
        let other = Start(StartTimer { timer: 3, timeout: 1, repeat: 2 });
        for before in [Stop(3), other] {
            assert_eq!(pushed(&[(1, before), (1, start(3))]), pushed(&[(1, start(3))]));
        }
        assert_eq!(pushed(&[(1, Stop(3)), (1, other), (1, start(3))]), pushed(&[(1, start(3))]));
        let apart = [pushed(&[(1, open(3))]), pushed(&[(1, start(3))])].concat();
        assert_eq!(pushed(&[(1, open(3)), (1, Stop(3)), (1, start(3))]), apart);
    }

    #[test]
    fn other_changes_stay_apart() {
        for apart in [
            &[(1, open(3)), (2, start(3))][..],
            &[(1, open(3)), (1, start(4))],
            &[(1, Stop(3)), (2, start(3))],
            &[(1, Stop(3)), (1, start(4))],
            &[(1, start(3)), (1, Stop(3))],
            &[(1, open_and_start(3)), (1, Stop(3))],
            &[(0, Close(3)), (0, CloseOwn)],
        ] {
            let each: Vec<_> = apart.iter().flat_map(|&one| pushed(&[one])).collect();
            assert_eq!(pushed(apart), each);
        }
    }

    #[test]
    fn the_timer_of_the_last_change_is_known() {
        let mut buffer = CommandBuffer::new();
        assert!(!buffer.last_is_of(0));
        for operation in [open(7), start(7), open_and_start(8), Stop(7), Close(7)] {
            let timer = if matches!(operation, OpenAndStart(_)) { 8 } else { 7 };
            buffer.push(0, operation);
            assert!(buffer.last_is_of(timer) && !buffer.last_is_of(9));
        }
        buffer.push(0, CloseOwn);
        assert!(!buffer.last_is_of(7), "it names no timer");
        buffer.clear();
        assert!(buffer.is_empty() && !buffer.last_is_of(7));
    }

    #[test]
    fn a_buffer_is_full_at_its_capacity() {
        let mut buffer = CommandBuffer::new();
        for _ in 0..CAPACITY {
            assert!(!buffer.is_full());
            buffer.push(0, Stop(1));
        }
        assert!(buffer.is_full());
    }
}
