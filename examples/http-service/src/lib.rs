//! A caching proxy with a rate limiter: it answers HTTP requests from its cache, and asks an upstream
//! server for what it does not have.
//!
//! The component is a plugin that exports `wasi:http/handler` of WASI 0.3. One instance answers many
//! requests at a time. The host runs the plugin's loop, so the timers of the cache and of the limiter
//! go on between requests, and while handlers wait. A handler waits for the upstream server, by WASI
//! 0.3, and for a timer of the loop at once.
//!
//! Environment variables: SERVICE_UPSTREAM (a URL such as `http://example.org`), SERVICE_KEEP_MS (10,000),
//! SERVICE_TIMEOUT_MS (5,000) and SERVICE_PER_SECOND (100).

mod cache;
mod limiter;
mod upstream;

use std::rc::Rc;
use std::time::Duration;

use uv_handles::task::timeout;
use uv_handles::{Error, Loop, StatusCode};
use wasip3::http::types::{ErrorCode, Fields, Method, Request, Response};
use wasip3::wit_bindgen::spawn_local;
use wasip3::{wit_future, wit_stream};

use cache::{Answer, Cache};
use limiter::Limiter;
use upstream::Upstream;

uv_handles::plugin!();

struct Component;

wasip3::http::service::export!(Component);

struct Service {
    cache: Cache,
    limiter: Limiter,
    upstream: Upstream,
    limit: Duration,
}

thread_local! {
    /// It begins with the first request.
    static SERVICE: Result<Rc<Service>, String> = Service::from_environment().map(Rc::new);
}

impl Service {
    fn from_environment() -> Result<Service, String> {
        let number = |name: &str, default: u64| match std::env::var(name) {
            Ok(text) => text.parse::<u64>().map_err(|_| format!("{name} is no number: {text:?}")),
            Err(_) => Ok(default),
        };
        let url = std::env::var("SERVICE_UPSTREAM").map_err(|_| "SERVICE_UPSTREAM is not set".to_owned())?;
        let upstream = Upstream::parse(&url);
        let upstream =
            upstream.ok_or_else(|| format!("SERVICE_UPSTREAM is no URL without a path: {url:?}"))?;
        let keep = Duration::from_millis(number("SERVICE_KEEP_MS", 10_000)?.max(1));
        let limit = Duration::from_millis(number("SERVICE_TIMEOUT_MS", 5_000)?);
        let per_second = number("SERVICE_PER_SECOND", 100)?;
        let made = || {
            let event_loop = Loop::hosted()?;
            Ok((Cache::new(&event_loop, keep)?, Limiter::new(&event_loop, per_second)?))
        };
        let (cache, limiter) = made().map_err(|error: Error| error.to_string())?;
        Ok(Service { cache, limiter, upstream, limit })
    }

    async fn answer(&self, request: &Request) -> Result<Response, ErrorCode> {
        if !matches!(request.get_method(), Method::Get) {
            return respond(405, b"this service has GET only\n".to_vec(), &[("allow", "GET")]);
        }
        if !self.limiter.take() {
            return respond(429, b"too many requests\n".to_vec(), &[("retry-after", "1")]);
        }
        let path = request.get_path_with_query().unwrap_or_else(|| "/".into());
        if let Some(Answer { status, body }) = self.cache.get(&path) {
            return respond(status, body, &[("x-cache", "hit")]);
        }
        match timeout(self.limit, self.upstream.ask(&path)).await {
            Ok(Ok(answer)) => {
                if answer.status == 200 {
                    self.cache.put(&path, answer.clone());
                }
                respond(answer.status, answer.body, &[("x-cache", "miss")])
            }
            Ok(Err(code)) => respond(502, format!("the upstream server fails: {code}\n").into_bytes(), &[]),
            Err(Error::Status(StatusCode::ETIMEDOUT)) => {
                respond(504, b"the upstream server does not answer in time\n".to_vec(), &[])
            }
            Err(error) => Err(ErrorCode::InternalError(Some(error.to_string()))),
        }
    }
}

/// A response with this body, which is sent after the handler has returned.
fn respond(status: u16, text: Vec<u8>, headers: &[(&str, &str)]) -> Result<Response, ErrorCode> {
    let fields = Fields::new();
    for (name, value) in headers.iter().chain(&[("content-length", text.len().to_string().as_str())]) {
        let set = fields.append(name, value.as_bytes());
        set.map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    }
    let (mut body, contents) = wit_stream::new();
    let (trailers, no_trailers) = wit_future::new(|| Ok(None));
    drop(trailers);
    let (response, _sent) = Response::new(fields, Some(contents), no_trailers);
    response.set_status_code(status).map_err(|()| ErrorCode::InternalError(None))?;
    spawn_local(async move {
        // The rest was not read: the client has gone.
        body.write_all(text).await;
    });
    Ok(response)
}

impl wasip3::exports::http::handler::Guest for Component {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        match SERVICE.with(Clone::clone) {
            Ok(service) => service.answer(&request).await,
            Err(reason) => respond(500, format!("{reason}\n").into_bytes(), &[]),
        }
    }
}
