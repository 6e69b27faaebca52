//! Tells requests of the server's own page and of programs from those of other sites.
//!
//! A browser sends requests for any page that the user looks at, also to addresses that only the
//! user can reach. Two checks keep such pages out:
//!
//! - The name in `Host` is an address, `localhost` or a name from the command line. A page cannot
//!   make its own name resolve to this server (DNS rebinding) and read the answers.
//! - A request that may change something carries no sign of another origin. Browsers say the origin
//!   in `Sec-Fetch-Site` and `Origin`, which no page can change; other programs send neither.

use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use std::net::Ipv6Addr;

/// A refusal: its code, and a sentence.
pub type Refused = (StatusCode, &'static str);

/// The names of the server.
#[derive(Debug, Default)]
pub struct Names(pub Vec<String>);

impl Names {
    /// Checks the target and the headers of a request.
    pub fn check(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next().and_then(authority), hosts.next()) else {
            return Err((StatusCode::BAD_REQUEST, "the request has no Host header, or not a valid one"));
        };
        if !self.is_ours(&host) || !uri.authority().is_none_or(|target| self.is_ours(target)) {
            let sentence = "this server has another name than the request's Host header; --host adds a name";
            return Err((StatusCode::MISDIRECTED_REQUEST, sentence));
        }
        if method.is_safe() || is_same_origin(&host, headers) {
            return Ok(());
        }
        Err((StatusCode::FORBIDDEN, "a page of another site cannot send anything to this server"))
    }

    fn is_ours(&self, authority: &Authority) -> bool {
        let name = authority.host();
        let is_address = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            Some(name) => name.parse::<Ipv6Addr>().is_ok(),
            None => name.parse::<std::net::Ipv4Addr>().is_ok(),
        };
        let known = ["localhost"].into_iter().chain(self.0.iter().map(String::as_str));
        is_address || known.into_iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

fn authority(value: &HeaderValue) -> Option<Authority> {
    let authority = Authority::try_from(value.as_bytes()).ok()?;
    (!authority.as_str().contains('@')).then_some(authority)
}

/// Whether a request is of the server's own page, or of a program that is no browser.
fn is_same_origin(host: &Authority, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let origin = Uri::try_from(origin.as_bytes());
    origin.is_ok_and(|origin| {
        matches!(origin.scheme_str(), Some("http" | "https")) && origin.authority() == Some(host)
    })
}
