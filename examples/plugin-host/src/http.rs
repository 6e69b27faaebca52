//! The HTTP routes.

use crate::body::{Bodies, Unread};
use crate::host::Host;
use crate::origin::Names;
use crate::page;
use crate::view::View;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use uv_handles_host::supervisor::{PluginMetrics, Refusal};

/// The time that the body of a message may take.
const BODY: Duration = Duration::from_secs(10);

/// The memory for messages that are being read, all together.
const BODIES: usize = 64 << 20;

type Server = State<Arc<Host>>;

/// All routes of the server, which has these names.
pub fn router(host: Arc<Host>, names: Names) -> Router {
    let bodies = Arc::new(Bodies::new(BODY, BODIES));
    let message = move |State(host): Server, Path(name): Path<String>, body: Body| {
        let bodies = bodies.clone();
        async move { message(&host, &bodies, &name, body).await }
    };
    Router::new()
        .route("/", get(index))
        .route("/page.css", get(async || typed("text/css; charset=utf-8", page::CSS)))
        .route("/page.js", get(async || typed("text/javascript; charset=utf-8", page::JS)))
        .route("/plugins", get(plugins))
        .route("/plugins/{name}", get(plugin))
        .route("/plugins/{name}/message", post(message))
        .route("/plugins/{name}/async-handles/{handle}", post(async_handle))
        .route("/metrics", get(metrics))
        .fallback(async || problem(StatusCode::NOT_FOUND, "there is no such page"))
        .layer(middleware::from_fn_with_state(Arc::new(names), guard))
        .with_state(host)
}

/// Refuses requests of other sites' pages, and keeps those from using the answers.
async fn guard(State(names): State<Arc<Names>>, request: Request, next: Next) -> Response {
    let mut response = match names.check(request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err((code, sentence)) => problem(code, sentence),
    };
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(policy, HeaderValue::from_static("same-origin"));
    response
}

async fn index(State(host): Server) -> Response {
    let page = page::page(&host.views(), host.problem().as_deref()).into_string();
    // Nothing but the server's own two files.
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
                  frame-ancestors 'none'";
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, page).into_response()
}

async fn plugins(State(host): Server) -> Response {
    json(&host.views().iter().map(View::json).collect())
}

async fn plugin(State(host): Server, Path(name): Path<String>) -> Response {
    match host.views().iter().find(|view| view.status.name == name) {
        Some(view) => json(&view.json()),
        None => problem(StatusCode::NOT_FOUND, &format!("there is no plugin {}", name.escape_debug())),
    }
}

/// Puts a message into a mailbox. It is read only if there is one, and no more than fits.
async fn message(host: &Host, bodies: &Bodies, name: &str, body: Body) -> Response {
    let most = match host.supervisor.longest_message(name) {
        Ok(most) => most,
        refused @ Err(_) => return answer(refused.map(drop)),
    };
    let message = match bodies.read(body, most).await {
        Ok(message) => message,
        Err(Unread::TooLarge) => return answer(Err(host.supervisor.too_large(name))),
        Err(Unread::TooSlow) => return problem(StatusCode::REQUEST_TIMEOUT, "the message took too long"),
        Err(Unread::NoRoom) => {
            return answer(Err(Refusal::NotNow("there is no memory for the message now".into())));
        }
        Err(Unread::Broken) => return problem(StatusCode::BAD_REQUEST, "the message is not complete"),
    };
    answer(host.supervisor.send(name, message))
}

async fn async_handle(State(host): Server, Path((name, handle)): Path<(String, String)>) -> Response {
    answer(host.send_handle(&name, &handle))
}

async fn metrics(State(host): Server) -> Response {
    let mut registry = Registry::with_prefix("plugin");
    registry.register_collector(Box::new(PluginMetrics::new(&host.supervisor)));
    let mut metrics = String::new();
    match text::encode(&mut metrics, &registry) {
        Ok(()) => typed("application/openmetrics-text; version=1.0.0; charset=utf-8", metrics),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &format!("no metrics: {error}")),
    }
}

fn answer(sent: Result<(), Refusal>) -> Response {
    let refusal = match sent {
        Ok(()) => return StatusCode::ACCEPTED.into_response(),
        Err(refusal) => refusal,
    };
    let code = match &refusal {
        Refusal::Unknown(_) => StatusCode::NOT_FOUND,
        Refusal::NotNow(_) => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Full(_) => StatusCode::TOO_MANY_REQUESTS,
        Refusal::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::CONFLICT,
    };
    let mut response = problem(code, &refusal.to_string());
    if matches!(refusal, Refusal::NotNow(_) | Refusal::Full(_)) {
        response.headers_mut().insert(RETRY_AFTER, 1.into());
    }
    response
}

fn problem(code: StatusCode, sentence: &str) -> Response {
    (code, typed("text/plain; charset=utf-8", format!("{sentence}\n"))).into_response()
}

fn json(value: &Value) -> Response {
    typed("application/json", format!("{value:#}\n"))
}

fn typed(content_type: &'static str, body: impl IntoResponse) -> Response {
    let header: [(HeaderName, &'static str); 1] = [(CONTENT_TYPE, content_type)];
    (header, body).into_response()
}
