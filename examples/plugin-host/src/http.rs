//! The HTTP routes.

use crate::host::{Host, Refusal};
use crate::{metrics, page};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;
use std::sync::Arc;

/// The longest message that is read. A plugin's own limit is in its manifest.
const LONGEST_MESSAGE: usize = 16 << 20;

type Server = State<Arc<Host>>;

/// All routes of the server.
pub fn router(host: Arc<Host>) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/page.css", get(async || typed("text/css; charset=utf-8", page::CSS)))
        .route("/page.js", get(async || typed("text/javascript; charset=utf-8", page::JS)))
        .route("/plugins", get(plugins))
        .route("/plugins/{name}", get(plugin))
        .route("/plugins/{name}/message", post(message))
        .route("/plugins/{name}/wake-ups/{wake_up}", post(wake_up))
        .route("/metrics", get(metrics))
        .fallback(async || problem(StatusCode::NOT_FOUND, "there is no such page"))
        .layer(DefaultBodyLimit::max(LONGEST_MESSAGE))
        .with_state(host)
}

async fn index(State(host): Server) -> Response {
    let page = page::page(&host.views(), host.problem().as_deref()).into_string();
    // Nothing but the server's own two files.
    let policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:";
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, page).into_response()
}

async fn plugins(State(host): Server) -> Response {
    json(&host.views())
}

async fn plugin(State(host): Server, Path(name): Path<String>) -> Response {
    match host.views().into_iter().find(|view| view.name == name) {
        Some(view) => json(&view),
        None => problem(StatusCode::NOT_FOUND, &format!("there is no plugin {}", name.escape_debug())),
    }
}

async fn message(State(host): Server, Path(name): Path<String>, message: Bytes) -> Response {
    answer(host.send(&name, message.into()))
}

async fn wake_up(State(host): Server, Path((name, wake_up)): Path<(String, String)>) -> Response {
    answer(host.wake(&name, &wake_up))
}

async fn metrics(State(host): Server) -> Response {
    match metrics::text(&host) {
        Ok(text) => typed(metrics::CONTENT_TYPE, text),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &format!("no metrics: {error}")),
    }
}

fn answer(sent: Result<(), Refusal>) -> Response {
    let refusal = match sent {
        Ok(()) => return StatusCode::ACCEPTED.into_response(),
        Err(refusal) => refusal,
    };
    let (code, sentence, again) = match &refusal {
        Refusal::Unknown(sentence) => (StatusCode::NOT_FOUND, sentence, false),
        Refusal::NotTaken(sentence) => (StatusCode::CONFLICT, sentence, false),
        Refusal::NotNow(sentence) => (StatusCode::SERVICE_UNAVAILABLE, sentence, true),
        Refusal::Full(sentence) => (StatusCode::TOO_MANY_REQUESTS, sentence, true),
        Refusal::TooLarge(sentence) => (StatusCode::PAYLOAD_TOO_LARGE, sentence, false),
    };
    let mut response = problem(code, sentence);
    if again {
        response.headers_mut().insert(RETRY_AFTER, 1.into());
    }
    response
}

fn problem(code: StatusCode, sentence: &str) -> Response {
    (code, typed("text/plain; charset=utf-8", format!("{sentence}\n"))).into_response()
}

fn json(value: &impl Serialize) -> Response {
    match serde_json::to_string_pretty(value) {
        Ok(text) => typed("application/json", text + "\n"),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &format!("no JSON: {error}")),
    }
}

fn typed(content_type: &'static str, body: impl IntoResponse) -> Response {
    let header: [(HeaderName, &'static str); 1] = [(CONTENT_TYPE, content_type)];
    (header, body).into_response()
}
