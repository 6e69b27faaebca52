//! The functions that the runtime's JavaScript calls, by subject.

pub mod event_loop;
mod handles;
mod http;
pub mod process;
mod random;
mod text;
mod uv_error;
mod values;

use rquickjs::{Ctx, Object, Result};

/// The object with all functions.
pub fn functions<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let functions = Object::new(ctx.clone())?;
    event_loop::define(&functions)?;
    handles::define(&functions)?;
    http::define(&functions)?;
    process::define(&functions)?;
    random::define(&functions)?;
    text::define(&functions)?;
    uv_error::define(&functions)?;
    values::define(&functions)?;
    Ok(functions)
}

/// Sets functions as members of an object.
macro_rules! define {
    ($object:expr, { $($name:literal: $function:expr),* $(,)? }) => {{
        let object: &rquickjs::Object<'_> = $object;
        $(object.set($name, rquickjs::Function::new(object.ctx().clone(), $function)?.with_name($name)?)?;)*
        rquickjs::Result::Ok(())
    }};
}
use define;
