//! Runs a script: the main module, the loop, and how both end.

use std::cell::RefCell;

use rquickjs::{Array, CatchResultExt, Ctx, Exception, Function, Object, Result};
use uv_handles::Loop;

use crate::{engine, modules, native};

/// An exception that left a script.
#[derive(Debug)]
pub struct Raised {
    /// The name of its class.
    pub kind: String,
    /// Its text.
    pub message: String,
    /// Its stack.
    pub traceback: String,
}

/// The result of a function of the script's.
type Outcome = std::result::Result<String, Raised>;

thread_local! {
    static MAIN: RefCell<Option<Main>> = const { RefCell::new(None) };
    static OUTCOME: RefCell<Option<Outcome>> = const { RefCell::new(None) };
}

/// The main module, until it is evaluated.
struct Main {
    name: String,
    source: Vec<u8>,
}

/// Runs a script and returns its exit code.
pub fn run(name: &str, source: &[u8], args: Vec<String>, path: Vec<String>) -> u8 {
    execute(name, source, args, path, Loop::new, |main| main.get::<_, Function<'_>>("run")?.call(()))
}

/// Calls a function that a script exports.
pub fn call(name: &str, source: &[u8], path: Vec<String>, function: &str, arguments: &str) -> Outcome {
    let code = execute(name, source, Vec::new(), path, Loop::new, |main| {
        main.get::<_, Function<'_>>("call")?.call((function, arguments))
    });
    OUTCOME.take().unwrap_or_else(|| {
        let (kind, message) = match code {
            UNSETTLED => ("Error", "the promise never settles: the loop has nothing more to do".to_owned()),
            code => ("SystemExit", code.to_string()),
        };
        Err(Raised { kind: kind.to_owned(), message, traceback: String::new() })
    })
}

/// The exit code of a main module that waits for something that never comes, as Node's.
const UNSETTLED: u8 = 13;

/// Makes the loop of the script, and starts the script with the runtime's main module. Returns the
/// exit code.
pub(crate) fn execute(
    name: &str,
    source: &[u8],
    args: Vec<String>,
    path: Vec<String>,
    new_loop: fn() -> uv_handles::Result<Loop>,
    start: impl for<'js> FnOnce(Object<'js>) -> Result<()>,
) -> u8 {
    modules::set_script(name, path);
    native::process::set_args(name, args);
    MAIN.set(Some(Main { name: name.to_owned(), source: source.to_owned() }));
    engine::enter(|ctx| {
        let begun = modules::load(&ctx, modules::MAIN).and_then(|main| {
            native::event_loop::begin(&ctx, new_loop)?;
            Ok(main)
        });
        let ended = begun.and_then(start);
        if let Err(error) = ended.catch(&ctx) {
            native::process::end_by(&error);
        }
        native::process::exit_code().unwrap_or(0)
    })
}

/// Evaluates the main module. Returns a promise that it is evaluated, and its exports.
pub(crate) fn evaluate(ctx: Ctx<'_>) -> Result<Array<'_>> {
    let evaluated = Array::new(ctx.clone())?;
    let Some(Main { name, source }) = MAIN.take() else {
        return Ok(evaluated);
    };
    let text = String::from_utf8(source).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Exception::throw_syntax(&ctx, &format!("{name} is not UTF-8 (byte {at})"))
    })?;
    let evaluating = modules::declare(&ctx, &name, text)?.eval();
    let (module, promise) = evaluating.map_err(|error| modules::add_place(&ctx, error))?;
    evaluated.set(0, promise)?;
    evaluated.set(1, module.namespace()?)?;
    Ok(evaluated)
}

/// Records the result of the function that was called, unless there is one.
pub(crate) fn settle(outcome: Outcome) {
    OUTCOME.with_borrow_mut(|settled| {
        settled.get_or_insert(outcome);
    });
}
