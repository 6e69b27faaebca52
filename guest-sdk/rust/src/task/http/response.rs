//! A response, and its body.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_io::AsyncRead;
use wasip2::http::types::{ErrorCode, IncomingBody, IncomingResponse};

use crate::task::executor::current_loop;
use crate::task::http::error::{HttpError, Problem};
use crate::task::wasi_stream::Input;

/// An HTTP response: its head, and a body that is still to be read. Dropping it closes the connection.
#[derive(Debug)]
pub struct Response {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Body,
}

/// The body of a response.
///
/// It implements [`AsyncRead`] too, for the adapters of the crate futures. Each read takes an iteration
/// of the loop.
#[derive(Debug)]
pub struct Body {
    // Each is a child of the next one, so they are dropped in this order.
    input: Input,
    _body: IncomingBody,
    _response: IncomingResponse,
    url: String,
}

impl Response {
    pub(super) fn new(url: String, response: IncomingResponse) -> Result<Self, Problem> {
        let (status, headers) = (response.status(), response.headers().entries());
        let lost = |()| Problem::Code(ErrorCode::InternalError(None));
        let body = response.consume().map_err(lost)?;
        let input = Input::new(&current_loop(), body.stream().map_err(lost)?)?;
        Ok(Self { status, headers, body: Body { input, _body: body, _response: response, url } })
    }

    /// The status code: 200, for example.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// All headers, in the order in which they came.
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }

    /// The first header of this name, in any case, if its value is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// The body.
    pub fn body(&mut self) -> &mut Body {
        &mut self.body
    }

    /// Reads the rest of the body, if that is at most `max` bytes.
    pub async fn bytes(&mut self, max: usize) -> Result<Vec<u8>, HttpError> {
        let mut all = Vec::new();
        loop {
            let read = self.body.read(max.saturating_sub(all.len()).saturating_add(1)).await?;
            if read.is_empty() {
                return Ok(all);
            }
            all.extend(read);
            if all.len() > max {
                return Err(self.body.error(Problem::TooLong));
            }
        }
    }

    /// Reads the rest of the body as text, if that is at most `max` bytes. Bytes that are not UTF-8 are
    /// replaced.
    pub async fn text(&mut self, max: usize) -> Result<String, HttpError> {
        Ok(String::from_utf8_lossy(&self.bytes(max).await?).into_owned())
    }
}

impl Body {
    /// Waits until there is something to read and reads it, at most `max` bytes: an empty vector is
    /// the end.
    pub async fn read(&mut self, max: usize) -> Result<Vec<u8>, HttpError> {
        let read = self.input.read(max, |error| Problem::of_stream(&error)).await;
        read.map_err(|problem| self.error(problem))
    }

    fn error(&self, problem: Problem) -> HttpError {
        HttpError { url: self.url.clone(), problem }
    }
}

impl AsyncRead for Body {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let fail = |error| self.error(Problem::of_stream(&error)).into();
        self.input.poll_read(cx, buffer, fail)
    }
}
