//! Requests to the upstream server, by `wasi:http/client` of WASI 0.3.

use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Request, Response, Scheme};
use wasip3::wit_bindgen::StreamResult;
use wasip3::wit_future;

use crate::cache::Answer;

/// The longest body that is passed on.
const MOST: usize = 1 << 20;

/// The bytes that are read at a time.
const CHUNK: usize = 16 * 1024;

/// The server that has the answers.
pub struct Upstream {
    scheme: Scheme,
    authority: String,
}

impl Upstream {
    /// From a URL without a path: `http://example.org:8080`.
    pub fn parse(url: &str) -> Option<Upstream> {
        let (scheme, authority) = url.split_once("://")?;
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        let authority = authority.trim_end_matches('/');
        let is_plain = !authority.is_empty() && !authority.contains(['/', '?', '#']);
        is_plain.then(|| Upstream { scheme, authority: authority.to_owned() })
    }

    /// Asks for a path. Dropping the future cancels the request.
    pub async fn ask(&self, path: &str) -> Result<Answer, ErrorCode> {
        let (trailers, no_trailers) = wit_future::new(|| Ok(None));
        drop(trailers);
        let (request, _sent) = Request::new(Fields::new(), None, no_trailers, None);
        let set = request
            .set_scheme(Some(&self.scheme))
            .and_then(|()| request.set_authority(Some(&self.authority)))
            .and_then(|()| request.set_path_with_query(Some(path)));
        set.map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
        let response = client::send(request).await?;
        let status = response.get_status_code();
        Ok(Answer { status, body: body(response).await? })
    }
}

async fn body(response: Response) -> Result<Vec<u8>, ErrorCode> {
    let (done, has_read) = wit_future::new(|| Ok(()));
    drop(done);
    let (mut contents, trailers) = Response::consume_body(response, has_read);
    let mut body = Vec::new();
    loop {
        let (result, chunk) = contents.read(Vec::with_capacity(CHUNK)).await;
        body.extend(chunk);
        if body.len() > MOST {
            return Err(ErrorCode::HttpResponseBodySize(Some(MOST as u64)));
        }
        if matches!(result, StreamResult::Dropped) {
            // The reason, if the body is not complete.
            trailers.await?;
            return Ok(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_server_is_a_url_without_a_path() {
        for (url, authority) in [("http://a", "a"), ("https://a:1/", "a:1"), ("http://[::1]:80", "[::1]:80")]
        {
            assert_eq!(Upstream::parse(url).unwrap().authority, authority);
        }
        for url in ["", "a", "ftp://a", "http://", "http://a/b", "http://a?b"] {
            assert!(Upstream::parse(url).is_none(), "{url}");
        }
    }
}
