//! The error of a request.

use std::fmt;
use std::io;

use wasip2::http::types::{ErrorCode, http_error_code};
use wasip2::io::error::Error as IoError;

use crate::error::Error;

/// The reason why a request failed, with its URL.
#[derive(Debug, Clone)]
pub struct HttpError {
    pub(super) url: String,
    pub(super) problem: Problem,
}

/// The reason why a request failed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Problem {
    /// The URL is not one of HTTP.
    Url,
    /// The method is not valid.
    Method,
    /// A header is not valid, or the host does not allow it: its name.
    Header(String),
    /// An error of the host or of the server.
    Code(ErrorCode),
    /// A stream failed, and the host does not tell why.
    Stream(String),
    /// The body is longer than was allowed.
    TooLong,
    /// The wait failed.
    Wait(Error),
}

impl HttpError {
    /// The URL of the request.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The reason.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl Problem {
    /// The problem behind an error of a body's stream.
    pub(super) fn of_stream(error: &IoError) -> Self {
        match http_error_code(error) {
            Some(code) => Self::Code(code),
            // The rest may be a backtrace of the host.
            None => Self::Stream(error.to_debug_string().lines().next().unwrap_or_default().into()),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Wait(error)
    }
}

impl From<ErrorCode> for Problem {
    fn from(code: ErrorCode) -> Self {
        Self::Code(code)
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.url, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str("it is no URL of HTTP, such as http://example.org/a"),
            Self::Method => f.write_str("the method is not valid"),
            Self::Header(name) => write!(f, "the header {name:?} is not valid or not allowed"),
            Self::Code(ErrorCode::DnsError(_)) => f.write_str("the name cannot be resolved"),
            Self::Code(ErrorCode::ConnectionRefused) => f.write_str("connection refused"),
            Self::Code(ErrorCode::ConnectionTerminated) => f.write_str("the connection was terminated"),
            Self::Code(ErrorCode::ConnectionTimeout) => f.write_str("the connection timed out"),
            Self::Code(ErrorCode::HttpRequestDenied) => f.write_str("the host does not grant it"),
            Self::Code(ErrorCode::HttpResponseIncomplete) => f.write_str("the response is incomplete"),
            Self::Code(ErrorCode::HttpProtocolError) => f.write_str("the server does not speak HTTP"),
            Self::Code(code) => write!(f, "{code:?}"),
            Self::Stream(text) => f.write_str(text),
            Self::TooLong => f.write_str("the body is too long"),
            Self::Wait(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for HttpError {}

impl From<HttpError> for io::Error {
    fn from(error: HttpError) -> Self {
        Self::other(error)
    }
}
