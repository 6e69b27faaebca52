//! The host allows three loops. One that is dropped makes room for another.

use uv_handles::{Handle, Loop, Result, RunMode, StatusCode, Timer};
use uv_handles_test_guests::assert_refused;

pub fn main() -> Result<()> {
    let mut loops: Vec<Loop> = (0..3).map(|_| Loop::new()).collect::<Result<_>>()?;
    assert_refused(Loop::new(), StatusCode::EMFILE);
    loops[0].close()?;
    assert_refused(Loop::new(), StatusCode::EMFILE);
    drop(loops.remove(0));
    loops.push(Loop::new()?);
    assert_refused(Loop::new(), StatusCode::EMFILE);

    // A loop stays as long as a value of one of its handles does.
    let timer = Timer::new(&loops[0])?;
    timer.close();
    loops[0].run(RunMode::Default)?;
    drop(loops.remove(0));
    assert_refused(Loop::new(), StatusCode::EMFILE);
    drop(timer);
    loops.push(Loop::new()?);
    loops.iter().try_for_each(Loop::close)
}
