//! Requests of other sites' pages.

use crate::origin::Names;
use axum::http::{HeaderMap, Method};

fn checked(method: Method, target: &str, headers: &[(&'static str, &str)]) -> Result<(), u16> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, value.parse().unwrap());
    }
    let names = Names(vec!["plugins.example".into()]);
    names.check(&method, &target.parse().unwrap(), &map).map_err(|(code, _)| code.as_u16())
}

#[test]
fn only_addresses_and_known_names_are_served() {
    for host in [
        "127.0.0.1:8080",
        "192.0.2.1",
        "[::1]:8080",
        "localhost:8080",
        "LocalHost",
        "plugins.example",
        "Plugins.Example:443",
    ] {
        for method in [Method::GET, Method::POST] {
            assert_eq!(checked(method, "/", &[("host", host)]), Ok(()), "{host}");
        }
    }
    for host in
        ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "0x7f.1"]
    {
        assert_eq!(checked(Method::GET, "/", &[("host", host)]), Err(421), "{host}");
    }
    for hosts in [&[][..], &[("host", "")], &[("host", "a@localhost")], &[("host", "localhost/x")]] {
        assert_eq!(checked(Method::GET, "/", hosts), Err(400), "{hosts:?}");
    }
    assert_eq!(checked(Method::GET, "/", &[("host", "localhost"), ("host", "localhost")]), Err(400));
    assert_eq!(checked(Method::GET, "http://evil.example/", &[("host", "localhost")]), Err(421));
}

#[test]
fn other_sites_change_nothing() {
    let from = |name, value| {
        let headers = [("host", "localhost:8080"), (name, value)];
        assert_eq!(checked(Method::GET, "/", &headers), Ok(()), "reading is left to the browser's rules");
        checked(Method::POST, "/", &headers)
    };
    for (name, value) in [
        ("origin", "http://localhost:8080"),
        ("origin", "https://localhost:8080"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
    ] {
        assert_eq!(from(name, value), Ok(()), "{name}: {value}");
    }
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("origin", "http://localhost:3000"),
        ("origin", "http://127.0.0.1:8080"),
        ("origin", "ftp://localhost:8080"),
        ("origin", "null"),
        ("origin", ""),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", ""),
    ] {
        assert_eq!(from(name, value), Err(403), "{name}: {value}");
    }
}
