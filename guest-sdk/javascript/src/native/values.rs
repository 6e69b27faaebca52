//! Facts about values that JavaScript itself cannot tell.

use rquickjs::promise::PromiseState;
use rquickjs::{Array, Ctx, Function, Object, Persistent, Promise, Result, Value};

use crate::engine::Callback;
use crate::native::define;

pub fn define(functions: &Object<'_>) -> Result<()> {
    define!(functions, {
        "isProxy": |value: Value<'_>| value.is_proxy(),
        "promiseState": promise_state,
        "trackRejections": track_rejections,
    })
}

/// The state of a promise, and its result if it is settled.
fn promise_state<'js>(ctx: Ctx<'js>, promise: Promise<'js>) -> Result<Array<'js>> {
    let shown = Array::new(ctx.clone())?;
    let (state, result) = match promise.state() {
        PromiseState::Pending => ("pending", None),
        PromiseState::Resolved => ("fulfilled", promise.result::<Value<'js>>().transpose()?),
        PromiseState::Rejected => {
            let _thrown = promise.result::<Value<'js>>();
            ("rejected", Some(ctx.catch()))
        }
    };
    shown.set(0, state)?;
    shown.set(1, result)?;
    Ok(shown)
}

/// Tells a function about each rejection without a handler, and about handlers that come later:
/// `(promise, reason, isHandled)`.
fn track_rejections<'js>(ctx: Ctx<'js>, tracker: Function<'js>) {
    let tracker: Callback = Persistent::save(&ctx, tracker);
    crate::engine::set_rejection_tracker(tracker);
}
