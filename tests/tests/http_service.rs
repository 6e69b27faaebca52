//! `uv-run --serve` and the example http-service, with HTTP requests on loopback.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use uv_handles_tests::os::{accept, connect, listener};
use uv_handles_tests::process::{Process, ended, start};
use uv_handles_tests::wait_until;

const SERVICE: &str = "http-service";

/// Reads the head of a request. Empty if there is none.
fn head(client: &mut TcpStream) -> String {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n\r\n") && client.read(&mut byte).is_ok_and(|read| read == 1) {
        text.extend(byte);
    }
    String::from_utf8(text).unwrap()
}

/// The server that the service asks. It answers with the number of requests that it has had; a path
/// that contains "slow" gets no answer, and "none" gets 404.
struct Upstream {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
    /// Connections that have been closed without an answer.
    given_up: Arc<AtomicUsize>,
}

fn upstream() -> Upstream {
    let (listener, address) = listener();
    let (requests, given_up) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
    let (count, gone) = (requests.clone(), given_up.clone());
    thread::spawn(move || {
        loop {
            let mut client = accept(&listener);
            let (count, gone) = (count.clone(), gone.clone());
            thread::spawn(move || {
                let head = head(&mut client);
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                if head.contains("slow") {
                    let _ = client.read_to_end(&mut Vec::new());
                    gone.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                let status = if head.contains("none") { "404 Not Found" } else { "200 OK" };
                let body = format!("answer {number}");
                let length = body.len();
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
                client.write_all(answer.as_bytes()).unwrap();
            });
        }
    });
    Upstream { address, requests, given_up }
}

/// The service, and its address.
fn serve(options: &[&str], environment: &[String]) -> (Process, SocketAddr) {
    let mut all = vec!["--serve", "127.0.0.1:0"];
    all.extend(options);
    all.extend(environment.iter().flat_map(|variable| ["--env", variable]));
    let mut process = start(&all, SERVICE, &[]);
    let address = process.stderr.find(|line| {
        line.strip_prefix("uv-run: serves HTTP on http://").map(|address| address.parse().unwrap())
    });
    (process, address)
}

#[derive(Debug)]
struct Response {
    status: u16,
    head: String,
    body: String,
}

fn ask(address: SocketAddr, request: &str) -> TcpStream {
    let mut client = connect(address);
    client
        .write_all(format!("{request} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").as_bytes())
        .unwrap();
    client
}

fn response(mut client: TcpStream) -> Response {
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("it is a response");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("it has a status");
    Response { status, head: head.to_lowercase(), body: body.into() }
}

fn get(address: SocketAddr, path: &str) -> Response {
    response(ask(address, &format!("GET {path}")))
}

#[test]
fn answers_come_from_the_cache_until_its_timer_removes_them() {
    let upstream = upstream();
    let host = upstream.address.to_string();
    let environment = [
        format!("SERVICE_UPSTREAM=http://{host}"),
        "SERVICE_KEEP_MS=500".into(),
        "SERVICE_PER_SECOND=1000000".into(),
    ];
    let (_process, address) = serve(&["--http", &host], &environment);
    let first = get(address, "/a?b");
    assert_eq!((first.status, &first.body[..]), (200, "answer 1"));
    assert!(first.head.contains("x-cache: miss"), "{first:?}");
    let second = get(address, "/a?b");
    assert!(second.head.contains("x-cache: hit") && second.body == "answer 1", "{second:?}");
    assert_eq!(upstream.requests.load(Ordering::SeqCst), 1);
    wait_until("the answer is removed", || get(address, "/a?b").body == "answer 2");

    // An answer without success is not kept.
    for _ in 0..2 {
        let none = get(address, "/none");
        assert!(none.status == 404 && none.head.contains("x-cache: miss"), "{none:?}");
    }
    let post = response(ask(address, "POST /a"));
    assert_eq!(post.status, 405);
}

#[test]
fn requests_are_answered_beside_each_other() {
    let upstream = upstream();
    let host = upstream.address.to_string();
    let environment = [format!("SERVICE_UPSTREAM=http://{host}"), "SERVICE_TIMEOUT_MS=5000".into()];
    let (_process, address) = serve(&["--http", &host], &environment);
    // They time out, and one whose client has gone as well.
    let slow: Vec<TcpStream> = (0..20).map(|number| ask(address, &format!("GET /slow/{number}"))).collect();
    drop(ask(address, "GET /slow/gone"));
    wait_until("all of them wait", || upstream.requests.load(Ordering::SeqCst) == 21);
    let quick: Vec<TcpStream> = (0..20).map(|number| ask(address, &format!("GET /{number}"))).collect();
    for client in quick {
        assert_eq!(response(client).status, 200);
    }
    assert_eq!(upstream.given_up.load(Ordering::SeqCst), 0, "the slow ones wait meanwhile");
    for client in slow {
        let answer = response(client);
        assert_eq!((answer.status, &answer.body[..]), (504, "the upstream server does not answer in time\n"));
    }
    wait_until("their requests are cancelled", || upstream.given_up.load(Ordering::SeqCst) == 21);
    assert_eq!(get(address, "/again").status, 200);
}

#[test]
fn the_rate_of_requests_is_limited() {
    let upstream = upstream();
    let host = upstream.address.to_string();
    let environment = [format!("SERVICE_UPSTREAM=http://{host}"), "SERVICE_PER_SECOND=1".into()];
    let (_process, address) = serve(&["--http", &host], &environment);
    assert_eq!(get(address, "/").status, 200);
    wait_until("a request is refused", || {
        let refused = get(address, "/");
        refused.status == 429 && refused.head.contains("retry-after: 1")
    });
    wait_until("the bucket is filled again", || get(address, "/").status == 200);
}

#[test]
fn an_upstream_server_has_to_be_granted() {
    let environment = ["SERVICE_UPSTREAM=http://denied.invalid:1".to_owned()];
    let (mut process, address) = serve(&[], &environment);
    assert_eq!(get(address, "/").status, 502);
    process.stderr.find(|line| line.ends_with("--http denied.invalid:1 would grant it").then_some(()));

    let (_process, address) = serve(&[], &[]);
    let unset = get(address, "/");
    assert_eq!((unset.status, &unset.body[..]), (500, "SERVICE_UPSTREAM is not set\n"));
}

#[test]
fn clients_beyond_the_limit_wait_until_one_has_gone() {
    let (_process, address) = serve(&[], &[]);
    // Each has a place, and uses it.
    let mut clients: Vec<_> = (0..512).map(|_| connect(address)).collect();
    let exchange = |client: &mut TcpStream| {
        client.write_all(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
        let head = head(client).to_lowercase();
        assert!(head.starts_with("http/1.1 500"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        client.read_exact(&mut vec![0; length.parse().unwrap()]).unwrap();
    };
    clients.iter_mut().for_each(exchange);
    let mut waiting = ask(address, "GET /");
    clients.iter_mut().for_each(exchange);
    waiting.set_nonblocking(true).unwrap();
    assert_eq!(waiting.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    waiting.set_nonblocking(false).unwrap();
    clients.pop();
    assert_eq!(response(waiting).status, 500);
}

#[test]
fn a_timeout_ends_a_service() {
    let ended = ended(&["--serve", "127.0.0.1:0", "--timeout", "0.2"], SERVICE, &[]);
    assert_eq!(ended.code, 124, "{ended:?}");
}

#[test]
fn what_cannot_be_served_is_refused_in_one_sentence() {
    for guest in ["first-timer", "async-program-guest"] {
        let ended = ended(&["--serve", "127.0.0.1:0"], guest, &[]);
        assert_eq!(ended.code, 2);
        let [line] = &ended.stderr[..] else { panic!("{ended:?}") };
        assert!(line.ends_with("cannot be served: it does not export wasi:http/handler@0.3"), "{line}");
    }
    let ended = ended(&[], SERVICE, &[]);
    let [line] = &ended.stderr[..] else { panic!("{ended:?}") };
    assert!(line.ends_with("answers HTTP requests: --serve ADDRESS:PORT says on which address"), "{line}");
}
