//! Events outside of the guest, at times that the test has chosen.

use crate::milliseconds::Milliseconds;
use crate::native::world::with;

/// Calls a function when this time has passed, outside of all callbacks: it stands for the host,
/// a peer, or another guest.
///
/// It is called while a loop waits, or by [`advance`](crate::native::advance). An event of the loop
/// that is due at the same time comes after it. A function does not keep a loop alive.
///
/// ```
/// use uv_handles::{Handle, Loop, Result, RunMode, Signal, Signum, native};
///
/// # fn main() -> Result<()> {
/// let event_loop = Loop::new()?;
/// Signal::new(&event_loop)?.start_with(Signum::SIGTERM, |signal, _| signal.close())?;
/// native::after(500, || native::raise(Signum::SIGTERM));
/// event_loop.run(RunMode::Default)?;
/// assert_eq!(native::now(), 500);
/// # event_loop.close()
/// # }
/// ```
pub fn after(time: impl Into<Milliseconds>, function: impl FnOnce() + 'static) {
    with(|world| {
        let at = world.now.saturating_add(time.into().get());
        let serial = world.next_serial();
        world.schedule.insert((at, serial), Box::new(function));
    });
}

/// Sets the function that is called when a run would wait forever. Usually
/// [`Loop::run`](crate::Loop::run) answers ECANCELED then; with this function it does so only if the
/// function brings no event.
pub fn on_endless_wait(function: impl FnMut() + 'static) {
    let before = with(|world| world.on_endless_wait.replace(Box::new(function)));
    drop(before);
}

/// Calls what is due outside of the guest.
pub(crate) fn between_waits() {
    run_scheduled();
    if with(|world| world.is_endless)
        && let Some(mut function) = with(|world| world.on_endless_wait.take())
    {
        function();
        with(|world| {
            world.on_endless_wait.get_or_insert(function);
        });
    }
}

pub(super) fn run_scheduled() {
    while let Some(function) = with(super::world::World::take_scheduled) {
        function();
    }
}
