//! Fetches the state of a guest that has been idle for long.

use crate::Loops;

impl Loops {
    /// Reads what the next iteration of each loop reads first, a word of each cache line. Call it for
    /// several guests before the iteration of the first of them. The result has no meaning.
    ///
    /// The state of a guest that has been idle for long is in no cache. An iteration waits for one
    /// part of it after the other. The reads of this function do not depend on each other, so the
    /// processor waits for all of them at once.
    pub fn warm(&self) -> u64 {
        let lists = u64::from(self.links.warm());
        let loops = self.loops.iter().map(|(_, state)| {
            let timer = state.timers.first(&self.links).map_or(0, |timer| {
                let handle = &self.handles[timer as usize];
                self.links.deadline(timer) ^ handle.token ^ u64::from(handle.active)
            });
            let ready = u64::from(state.polls.ready().node());
            state.now ^ state.timers.called() ^ u64::from(state.signals.is_empty()) ^ ready ^ timer
        });
        loops.fold(lists, |sum, word| sum ^ word)
    }
}

#[cfg(test)]
mod tests {
    use crate::RunMode;
    use crate::testing::World;

    #[test]
    fn every_state_of_a_loop_can_be_warmed() {
        let mut world = World::new();
        world.loops.warm();
        // More timers than the sorted list holds.
        for due in 1..8 {
            let timer = world.timer();
            world.loops.timer_start(timer, due, 0).unwrap();
            world.loops.warm();
        }
        world.run(RunMode::Default);
        world.loops.warm();
        assert_eq!(world.trace().len(), 7);
        world.loops.release_loop(world.main);
        world.loops.warm();
    }
}
