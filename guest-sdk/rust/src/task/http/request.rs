//! A request.

use std::time::Duration;

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme,
};

use crate::task::executor::current_loop;
use crate::task::http::error::{HttpError, Problem};
use crate::task::http::response::Response;
use crate::task::pollable::AsyncPollable;
use crate::task::wasi_stream::{Output, Refused};

/// Sends a GET request, as [`Request::get`] and [`Request::send`].
pub async fn get(url: &str) -> Result<Response, HttpError> {
    Request::get(url).send().await
}

/// An HTTP request.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    connect_timeout: Option<Duration>,
}

impl Request {
    /// A GET request.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A request with this method. An invalid method or URL is an error of [`send`](Self::send).
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            connect_timeout: None,
        }
    }

    /// Adds a header. The host does not allow all: `connection` and `host`, for example.
    pub fn header(mut self, name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Limits the time to connect. For a limit on the whole, use [`timeout`](crate::task::timeout).
    pub fn connect_timeout(mut self, time: Duration) -> Self {
        self.connect_timeout = Some(time);
        self
    }

    /// Sends it and waits for the head of the response. Dropping the future cancels the request.
    pub async fn send(self) -> Result<Response, HttpError> {
        match self.response().await {
            Ok(response) => Response::new(self.url.clone(), response)
                .map_err(|problem| HttpError { url: self.url, problem }),
            Err(problem) => Err(HttpError { url: self.url, problem }),
        }
    }

    async fn response(&self) -> Result<IncomingResponse, Problem> {
        let request = self.outgoing()?;
        let options = RequestOptions::new();
        let connect = self.connect_timeout.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        // A host without this option ignores it.
        let _ = options.set_connect_timeout(connect);
        let body = match self.body.is_empty() {
            true => None,
            false => Some(request.body().map_err(|()| Problem::Code(ErrorCode::InternalError(None)))?),
        };
        let response = handle(request, Some(options))?;
        if let Some(body) = body {
            self.write(body).await?;
        }
        received(&response).await
    }

    fn outgoing(&self) -> Result<OutgoingRequest, Problem> {
        let Url { scheme, authority, path } = Url::parse(&self.url).ok_or(Problem::Url)?;
        let headers = Fields::new();
        for (name, value) in &self.headers {
            headers.append(name, value).map_err(|_| Problem::Header(name.clone()))?;
        }
        if !self.body.is_empty() && !headers.has("content-length") {
            let length = self.body.len().to_string();
            let name = "content-length";
            headers.append(name, length.as_bytes()).map_err(|_| Problem::Header(name.into()))?;
        }
        let request = OutgoingRequest::new(headers);
        request.set_method(&method(&self.method)).map_err(|()| Problem::Method)?;
        request.set_scheme(Some(&scheme)).map_err(|()| Problem::Url)?;
        request.set_authority(Some(authority)).map_err(|()| Problem::Url)?;
        request.set_path_with_query(Some(&path)).map_err(|()| Problem::Url)?;
        Ok(request)
    }

    /// Writes the body. A server may answer before it has read all of it, so a failure is no error
    /// here.
    async fn write(&self, body: OutgoingBody) -> Result<(), Problem> {
        let stream = body.write().map_err(|()| Problem::Code(ErrorCode::InternalError(None)))?;
        let output = Output::new(&current_loop(), stream)?;
        let mut rest = &self.body[..];
        while !rest.is_empty() {
            match output.write(rest).await {
                Ok(written) => rest = &rest[written..],
                Err(Refused::Closed | Refused::Failed) => return Ok(()),
                Err(Refused::Wait(error)) => return Err(error.into()),
            }
        }
        drop(output);
        // The response tells what is wrong.
        let _ = OutgoingBody::finish(body, None);
        Ok(())
    }
}

/// Waits for the head of the response.
async fn received(response: &FutureIncomingResponse) -> Result<IncomingResponse, Problem> {
    let waits = AsyncPollable::new(&current_loop(), response.subscribe())?;
    loop {
        waits.ready().await?;
        match response.get() {
            Some(Ok(Ok(response))) => return Ok(response),
            Some(Ok(Err(code))) => return Err(code.into()),
            // It has been taken, which only this function does.
            Some(Err(())) => return Err(Problem::Code(ErrorCode::InternalError(None))),
            None => {}
        }
    }
}

fn method(method: &str) -> Method {
    match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.into()),
    }
}

/// The parts of a URL that a request consists of. The host validates them.
struct Url<'a> {
    scheme: Scheme,
    authority: &'a str,
    path: String,
}

impl Url<'_> {
    fn parse(url: &str) -> Option<Url<'_>> {
        let (scheme, rest) = url.split_once("://")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        // A fragment is the client's.
        let rest = rest.split('#').next()?;
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let path = if path.starts_with('/') { path.into() } else { format!("/{path}") };
        (!authority.is_empty()).then_some(Url { scheme, authority, path })
    }
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn a_url_has_a_scheme_an_authority_and_a_path() {
        for (url, authority, path) in [
            ("http://a", "a", "/"),
            ("HTTPS://a:1/b?c#d", "a:1", "/b?c"),
            ("http://[::1]:80?q", "[::1]:80", "/?q"),
        ] {
            let parsed = Url::parse(url).unwrap();
            assert_eq!((parsed.authority, &parsed.path[..]), (authority, path));
        }
        for url in ["", "a", "ftp://a/", "http://", "http:///a", "/a"] {
            assert!(Url::parse(url).is_none(), "{url}");
        }
    }
}
