//! The loop of a script: one timer for all of its timeouts, a check handle for its immediates, and
//! an idle handle that keeps the loop from waiting for them.

use std::cell::{OnceCell, RefCell};
use std::time::Instant;

use rquickjs::{CatchResultExt, Ctx, Exception, Function, Object, Persistent, Result};
use uv_handles::{Check, Handle, Idle, Loop, RunMode, Timer};

use crate::engine::{self, Callback};
use crate::native::uv_error::Throws;
use crate::native::{define, process};

/// The loop and the handles for the functions of Node.
struct Main {
    event_loop: Loop,
    /// The loop's time at the beginning.
    start: u64,
    timer: Timer,
    check: Check,
    idle: Idle,
}

thread_local! {
    static MAIN: OnceCell<Main> = const { OnceCell::new() };
    static BEGIN: OnceCell<Instant> = const { OnceCell::new() };
    static ON_TIMER: RefCell<Option<Callback>> = const { RefCell::new(None) };
    static ON_CHECK: RefCell<Option<Callback>> = const { RefCell::new(None) };
}

/// The functions. The loop itself belongs to the script: see [`begin`].
pub fn define(functions: &Object<'_>) -> Result<()> {
    define!(functions, {
        "now": now,
        "milliseconds": || nanoseconds() / 1e6,
        "nanoseconds": nanoseconds,
        "startTimer": start_timer,
        "referTimer": refer_timer,
        "onTimer": on_timer,
        "onCheck": on_check,
        "keepImmediates": keep_immediates,
        "runLoop": run_loop,
        "isAlive": || with(|main| main.event_loop.is_alive()),
        "enqueueJob": |job: Function<'_>| job.defer(()),
        "runJobs": run_jobs,
    })
}

impl Main {
    fn new(event_loop: Loop) -> uv_handles::Result<Main> {
        let (timer, check, idle) =
            (Timer::new(&event_loop)?, Check::new(&event_loop)?, Idle::new(&event_loop)?);
        timer.dereference()?;
        check.dereference()?;
        Ok(Main { start: event_loop.now()?, event_loop, timer, check, idle })
    }
}

/// Makes the loop of a script, before any of it runs.
pub fn begin(ctx: &Ctx<'_>, new_loop: fn() -> uv_handles::Result<Loop>) -> Result<()> {
    BEGIN.with(|begin| *begin.get_or_init(Instant::now));
    let main = new_loop().and_then(Main::new).throws(ctx)?;
    if let Some(callback) = ON_TIMER.take() {
        main.timer.set_callback(move |_| engine::call_back(&callback, ()));
    }
    if let Some(callback) = ON_CHECK.take() {
        main.check.start_with(move |_| engine::call_back(&callback, ())).throws(ctx)?;
    }
    // An instance runs one script, so it is empty.
    MAIN.with(|cell| drop(cell.set(main)));
    Ok(())
}

fn with<R>(function: impl FnOnce(&Main) -> R) -> R {
    MAIN.with(|main| function(main.get().expect("it is made before any script runs")))
}

/// The loop of the script.
pub fn main_loop() -> Loop {
    with(|main| main.event_loop.clone())
}

/// Ends the run of the loop.
pub fn stop() {
    MAIN.with(|main| {
        if let Some(main) = main.get() {
            main.event_loop.stop();
        }
    });
}

/// The loop's time, brought up to date, in milliseconds since the beginning.
fn now(ctx: Ctx<'_>) -> Result<f64> {
    with(|main| {
        main.event_loop.update_time()?;
        Ok((main.event_loop.now()? - main.start) as f64)
    })
    .throws(&ctx)
}

/// Nanoseconds since the beginning.
fn nanoseconds() -> f64 {
    BEGIN.with(|begin| begin.get_or_init(Instant::now).elapsed().as_nanos() as f64)
}

fn start_timer(ctx: Ctx<'_>, milliseconds: f64) -> Result<()> {
    with(|main| main.timer.start(milliseconds as u64, 0)).throws(&ctx)
}

/// Whether the loop goes on for timers.
fn refer_timer(ctx: Ctx<'_>, is_referenced: bool) -> Result<()> {
    with(|main| match is_referenced {
        true => main.timer.reference(),
        false => main.timer.dereference(),
    })
    .throws(&ctx)
}

fn on_timer<'js>(ctx: Ctx<'js>, callback: Function<'js>) {
    ON_TIMER.set(Some(Persistent::save(&ctx, callback)));
}

fn on_check<'js>(ctx: Ctx<'js>, callback: Function<'js>) {
    ON_CHECK.set(Some(Persistent::save(&ctx, callback)));
}

/// Whether the loop goes on for immediates, and does not wait.
fn keep_immediates(ctx: Ctx<'_>, is_kept: bool) -> Result<()> {
    with(|main| match is_kept {
        true => main.idle.start(),
        false => {
            main.idle.stop();
            Ok(())
        }
    })
    .throws(&ctx)
}

/// Runs the loop until nothing keeps it alive.
fn run_loop(ctx: Ctx<'_>) -> Result<()> {
    let result = main_loop().run(RunMode::Default);
    process::check_exit(&ctx)?;
    match result {
        Ok(_) => Ok(()),
        Err(error) => Err(Exception::throw_message(&ctx, &format!("the loop cannot go on: {error}"))),
    }
}

/// Runs promise jobs until there are none.
fn run_jobs(ctx: Ctx<'_>) -> Result<()> {
    loop {
        let ran = engine::run_job(&ctx);
        process::check_exit(&ctx)?;
        match ran.catch(&ctx) {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            // Errors of the script are rejections.
            Err(error) => process::end_by(&error),
        }
    }
}
