//! The engine of this instance: one context, in which everything runs.

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;

use rquickjs::function::IntoArgs;
use rquickjs::{
    CatchResultExt, Context, Ctx, Error, Exception, Function, Persistent, Result, Runtime, TypedArray, qjs,
};

use crate::memory::{self, Memory};
use crate::{modules, native};

/// The most bytes of its stack that the engine may use, of one MiB. A deeper recursion is a
/// RangeError of the script's. The host's stack is used as well, twice as much of it: a host that
/// has less for its guests ends a script by a trap instead.
const STACK: usize = 384 * 1024;

/// A function of JavaScript that Rust keeps.
pub type Callback = Persistent<Function<'static>>;

thread_local! {
    /// Learns of promises that are rejected without a handler.
    static TRACKER: RefCell<Option<Callback>> = const { RefCell::new(None) };
    static KEPT: RefCell<Option<Context>> = const { RefCell::new(None) };
    /// The context while `enter` runs.
    static CONTEXT: Cell<Option<NonNull<qjs::JSContext>>> = const { Cell::new(None) };
}

/// Loads the runtime's own modules. An instance that has done so can be stored, and be the beginning
/// of others: nothing of the host is called here but its clocks.
pub fn prepare() {
    context().with(|ctx| {
        if let Err(error) = modules::load(&ctx, modules::MAIN).catch(&ctx) {
            panic!("the modules of the runtime can be loaded: {error}");
        }
    });
    context().runtime().run_gc();
}

/// Runs a function in the context.
pub fn enter<R>(function: impl FnOnce(Ctx<'_>) -> R) -> R {
    context().with(|ctx| {
        CONTEXT.set(Some(ctx.as_raw()));
        let result = function(ctx);
        CONTEXT.set(None);
        result
    })
}

/// The only context, which is made if there is none.
fn context() -> Context {
    KEPT.with_borrow_mut(|kept| kept.get_or_insert_with(new_context).clone())
}

/// A context that is never freed: an instance runs one script.
fn new_context() -> Context {
    memory::reserve();
    let runtime = Runtime::new_with_alloc(Memory).expect("an instance has the memory for an engine");
    runtime.set_max_stack_size(STACK);
    runtime.set_host_promise_rejection_tracker(Some(Box::new(|ctx, promise, reason, is_handled| {
        if let Some(tracker) = TRACKER.with_borrow(Clone::clone) {
            let told: Result<()> =
                tracker.restore(&ctx).and_then(|tracker| tracker.call((promise, reason, is_handled)));
            debug_assert!(told.is_ok());
        }
    })));
    runtime.set_loader(modules::Modules, modules::Modules);
    let context = Context::full(&runtime).expect("an instance has the memory for a context");
    std::mem::forget(context.clone());
    context
}

/// Calls a function of JavaScript from a callback of the loop. The function itself reports errors
/// of the script. What is left is the end of the script, or an error of the report.
pub fn call_back(callback: &Callback, args: impl for<'js> IntoArgs<'js>) {
    memory::reserve();
    let call = |ctx: Ctx<'_>| {
        let result: Result<()> = callback.clone().restore(&ctx).and_then(|function| function.call(args));
        if let Err(error) = result.catch(&ctx) {
            native::process::end_by(&error);
        }
    };
    match CONTEXT.get() {
        // SAFETY: `enter` has the lock of the runtime as long as there is a context here, and this
        // callback runs inside it. The value does not leave this function.
        Some(context) => call(unsafe { Ctx::from_raw(context) }),
        // The host runs the loop of a plugin.
        None => {
            enter(call);
            native::process::leave_at_end();
        }
    }
}

/// Sets the function that learns of rejections: `(promise, reason, isHandled)`.
pub fn set_rejection_tracker(tracker: Callback) {
    TRACKER.set(Some(tracker));
}

/// Runs the next promise job. Returns whether there was one.
pub fn run_job(ctx: &Ctx<'_>) -> Result<bool> {
    let mut context = std::ptr::null_mut();
    // SAFETY: the context is alive. There is only this one, so an exception is pending in it.
    let ran = unsafe { qjs::JS_ExecutePendingJob(qjs::JS_GetRuntime(ctx.as_raw().as_ptr()), &mut context) };
    if ran < 0 { Err(Error::Exception) } else { Ok(ran > 0) }
}

/// An error that no `catch` and no `finally` of the script sees: it ends the script.
pub fn uncatchable(ctx: &Ctx<'_>) -> Error {
    match Exception::from_message(ctx.clone(), "the script has ended") {
        Ok(exception) => {
            let value = exception.into_object().into_value();
            // SAFETY: the value is an error object of this context.
            unsafe { qjs::JS_SetUncatchableError(ctx.as_raw().as_ptr(), value.as_raw()) };
            ctx.throw(value)
        }
        Err(error) => error,
    }
}

/// A copy of the bytes of an array, none if its buffer has been transferred.
pub fn bytes_of(array: &TypedArray<'_, u8>) -> Vec<u8> {
    // SAFETY: the slice is copied before any JavaScript runs again.
    unsafe { array.as_bytes() }.unwrap_or_default().to_vec()
}
