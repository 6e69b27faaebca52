//! Errors of the loop as exceptions: `UVError` and its two kinds.

use std::cell::RefCell;

use rquickjs::{Ctx, Error, Exception, Function, Object, Persistent, Result, Value};
use uv_handles::StatusCode;

use crate::engine::Callback;
use crate::native::define;

thread_local! {
    /// Makes the exception: `(kind, name, number, message) => error`.
    static MAKE: RefCell<Option<Callback>> = const { RefCell::new(None) };
}

pub fn define(functions: &Object<'_>) -> Result<()> {
    define!(functions, {
        "onError": on_error,
        "statusCodes": status_codes,
    })
}

fn on_error<'js>(ctx: Ctx<'js>, make: Function<'js>) {
    MAKE.set(Some(Persistent::save(&ctx, make)));
}

/// Throws the errors of the loop.
pub trait Throws<T> {
    /// The value, or the thrown exception.
    fn throws(self, ctx: &Ctx<'_>) -> Result<T>;
}

impl<T> Throws<T> for uv_handles::Result<T> {
    fn throws(self, ctx: &Ctx<'_>) -> Result<T> {
        self.map_err(|error| exception(ctx, error).unwrap_or_else(|error| error))
    }
}

fn exception(ctx: &Ctx<'_>, error: uv_handles::Error) -> Result<Error> {
    let Some(make) = MAKE.with_borrow(Clone::clone) else {
        return Ok(Exception::throw_message(ctx, &error.to_string()));
    };
    let (kind, name, number) = match error {
        uv_handles::Error::HandleClosed => ("handle", "EHANDLECLOSED", 0),
        uv_handles::Error::LoopClosed => ("loop", "ELOOPCLOSED", 0),
        error => {
            let code = error.code().unwrap_or(StatusCode::UNKNOWN);
            ("status", code.name(), code.code())
        }
    };
    let value: Value<'_> = make.restore(ctx)?.call((kind, name, number, error.to_string()))?;
    Ok(ctx.throw(value))
}

/// The numbers of the status codes by their names.
fn status_codes(ctx: Ctx<'_>) -> Result<Object<'_>> {
    let codes = Object::new(ctx)?;
    for code in (-5000..=0).filter_map(StatusCode::from_code) {
        codes.set(code.name(), code.code())?;
    }
    Ok(codes)
}
