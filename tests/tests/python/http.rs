//! HTTP in Python under uv-run: `uv.http` and `urllib`, against real servers on loopback.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use uv_handles_tests::PATIENCE;
use uv_handles_tests::http_server::{Answer, read_request, server, text};
use uv_handles_tests::os::{accept, listener, refusing_address, reset};
use uv_handles_tests::python_peers::lines;
use uv_handles_tests::script::PYTHON;

const HELLO: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=latin-1\r\ncontent-length: 5\r\n\r\n[1,2]";

const REDIRECT: &str = "HTTP/1.1 302 Found\r\nlocation: /other?a#b\r\ncontent-length: 0\r\n\r\n";

/// The answers that both clients meet, in this order.
fn answers() -> Vec<Answer> {
    let wants = |start: &'static str, header: &'static str, answer: &'static str| -> Answer {
        Box::new(move |mut client, head| {
            assert!(head.starts_with(start) && head.to_lowercase().contains(header), "{head}");
            client.write_all(answer.as_bytes()).unwrap();
            None
        })
    };
    vec![
        wants("GET /hello HTTP/1.1\r\n", "", HELLO),
        text("HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnone"),
        wants("POST /redirect HTTP/1.1\r\n", "content-length: 4\r\n", REDIRECT),
        wants("GET /other?a HTTP/1.1\r\n", "x-test: a\r\n", HELLO),
        text("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf"),
        text("this is not HTTP at all\r\n\r\n"),
        Box::new(|client, _| {
            reset(client);
            None
        }),
        Box::new(|client, _| Some(client)),
    ]
}

fn http_options(own: SocketAddr, other: SocketAddr) -> [String; 3] {
    [format!("--http={own}"), format!("--http={other}"), "--http=name.invalid".into()]
}

#[test]
fn fetch() {
    let mut all = answers();
    all.push(text("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
    all.push(Box::new(|mut client, head| {
        assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
        let mut body = Vec::new();
        while !body.ends_with(b"0\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            body.extend(byte);
        }
        client
            .write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes())
            .unwrap();
        client.write_all(&body).unwrap();
        None
    }));
    // Answers, and then sends without end.
    all.push(Box::new(|mut client, _| {
        thread::spawn(move || {
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            while client.write_all(&[b'a'; 100]).is_ok() {}
        });
        None
    }));
    let address = server(all);
    let (_kept, refusing) = refusing_address();
    let source = "
from uv import http
base, refusing = ('http://%s:%s' % address for address in ADDRESSES)

async def numbers():
    for number in range(3):
        yield b'%d' % number

async def failing(url, **options):
    try:
        response = await http.fetch(url, **options)
        await response.read()
    except (OSError, ValueError) as error:
        print([kind.__name__ for kind in type(error).__mro__[:3]], str(error).replace(url, 'URL').partition(' (')[0])

async def main():
    response = await http.fetch(f'{base}/hello#fragment')
    print(response.status, response.reason, response.ok, response.headers['Content-Type'], await response.json())
    response = await http.fetch(f'{base}/none')
    print(response.status, response.ok, await response.text())
    response = await http.fetch(f'{base}/redirect', method='post', body='text', headers={'x-test': 'a'})
    print(response.url.removeprefix(base), await response.read(2), await response.read())
    await failing(f'{base}/half')
    await failing(f'{base}/garbage')
    await failing(f'{base}/reset')
    await failing(f'{base}/slow', timeout=0.05)
    async with await http.fetch(f'{base}/chunks') as response:
        print(b''.join([chunk async for chunk in response]))
    response = await http.fetch(f'{base}/upload', method='PUT', body=numbers())
    print((await response.read()).replace(b'\\r\\n', b' '))
    await failing(f'{base}/endless', timeout=0.2)
    await failing(f'{refusing}/')
    await failing('http://name.invalid/')
    await failing('http://denied.invalid:1/')
    await failing('ftp://a/')
    await failing(f'{base}/', method='B(D')
    await failing(f'{base}/', headers={'a': 'b\\r\\nc: d'})
    await failing(f'{base}/', headers={'host': 'a'})

asyncio.run(main())
";
    let options = http_options(address, refusing);
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let expected = [
        "200 OK True application/json; charset=latin-1 [1, 2]",
        "404 False none",
        "/other?a#b b'[1' b',2]'",
        "['ResetError', 'RequestError', 'ConnectionResetError'] URL: the connection failed before the end of the body",
        "['RequestError', 'OSError', 'Exception'] URL: the server does not speak HTTP",
        "['ResetError', 'RequestError', 'ConnectionResetError'] URL: the connection was terminated",
        "['TimedOutError', 'RequestError', 'TimeoutError'] URL: timed out",
        "b'abcde'",
        "b'1 0 1 1 1 2 0  '",
        "['TimedOutError', 'RequestError', 'TimeoutError'] URL: timed out",
        "['RefusedError', 'RequestError', 'ConnectionRefusedError'] URL: connection refused",
        "['UnknownNameError', 'RequestError', 'gaierror'] URL: the name cannot be resolved",
        "['DeniedError', 'RequestError', 'PermissionError'] URL: the host does not grant it",
        "['ValueError', 'Exception', 'BaseException'] 'URL' is no URL of HTTP, such as http://example.org/a",
        "['ValueError', 'Exception', 'BaseException'] the method 'B(D' is not valid",
        "['ValueError', 'Exception', 'BaseException'] the header 'a' is not valid",
        "['ValueError', 'Exception', 'BaseException'] the header 'host' is not allowed by the host",
    ];
    assert_eq!(lines(&options, source, &[address, refusing]), expected);
}

#[test]
fn urlopen() {
    let address = server(answers());
    let (_kept, refusing) = refusing_address();
    let source = "
from urllib.request import Request, urlopen
from urllib.error import HTTPError, URLError
base, refusing = ('http://%s:%s' % address for address in ADDRESSES)

def failing(url, **options):
    try:
        urlopen(url, **options).read()
    except OSError as error:
        print(type(error).__name__, str(error).replace(url, 'URL'))

with urlopen(f'{base}/hello') as response:
    print(response.status, response.msg, response.headers['Content-Type'], response.readline())
try:
    urlopen(f'{base}/none')
except HTTPError as error:
    print(error.code, error.reason, error.read())
with urlopen(Request(f'{base}/redirect', b'text', {'X-Test': 'a'})) as response:
    print(response.url.removeprefix(base), response.read(2), response.read())
failing(f'{base}/half')
failing(f'{base}/garbage')
failing(f'{base}/reset')
failing(f'{base}/slow', timeout=0.05)
failing(f'{refusing}/')
failing('http://name.invalid/')
failing('http://denied.invalid:1/')
";
    let options = http_options(address, refusing);
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let expected = [
        "200 OK application/json; charset=latin-1 b'[1,2]'",
        "404 Not Found b'none'",
        "/other?a#b b'[1' b',2]'",
        "ResetError URL: the connection failed before the end of the body",
        "URLError <urlopen error URL: the server does not speak HTTP>",
        "URLError <urlopen error URL: the connection was terminated>",
        "URLError <urlopen error URL: timed out>",
        "URLError <urlopen error URL: connection refused>",
        "URLError <urlopen error URL: the name cannot be resolved>",
        "URLError <urlopen error URL: the host does not grant it (uv-run --http denied.invalid:1)>",
    ];
    assert_eq!(lines(&options, source, &[address, refusing]), expected);
}

#[test]
fn requests_that_are_cancelled_free_their_connections() {
    let (listener, address) = listener();
    let (send, gone) = mpsc::channel();
    thread::spawn(move || {
        for _ in 0..70 {
            let mut client = accept(&listener);
            let send = send.clone();
            thread::spawn(move || {
                // An answer before the request is none of HTTP.
                read_request(&mut client);
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
                let mut all = Vec::new();
                // The end or a reset: the client has closed the connection.
                let _ = client.read_to_end(&mut all);
                send.send(()).unwrap();
            });
        }
    });
    let source = "
from uv import http
url = 'http://%s:%s/' % ADDRESSES[0]

async def request(begun):
    response = await http.fetch(url)
    await begun.wait()
    await response.read()

async def main():
    for _ in range(7):
        begun = asyncio.Barrier(11)
        requests = [asyncio.create_task(request(begun)) for _ in range(10)]
        await begun.wait()
        await asyncio.sleep(0)
        for task in requests:
            task.cancel()
        results = await asyncio.gather(*requests, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results), results
    print('cancelled')

asyncio.run(main())
";
    let granted = format!("--http={address}");
    assert_eq!(lines(&[&granted, "--max-handles=40"], source, &[address]), ["cancelled"]);
    for _ in 0..70 {
        gone.recv_timeout(PATIENCE).unwrap();
    }
}

/// An embedder without WASI's HTTP denies requests.
#[test]
fn a_host_without_http() {
    let source = "
import asyncio, urllib.request, uv

async def connect():
    await asyncio.open_connection('127.0.0.1', 1)

async def fetch():
    await uv.http.fetch('http://127.0.0.1/', method='POST', body='a', headers={'a': 'b'})

def open():
    urllib.request.urlopen('http://127.0.0.1/', b'a')
";
    for (function, kind, message) in [
        ("connect", "PermissionError", "the host grants no TCP sockets"),
        ("fetch", "uv.http.DeniedError", "http://127.0.0.1/: the host does not grant it"),
        ("open", "urllib.error.URLError", "http://127.0.0.1/: the host does not grant it"),
    ] {
        let raised = PYTHON.call(source, function, "[]").unwrap_err();
        assert_eq!(raised.kind, kind, "{raised:?}");
        assert!(raised.message.contains(message), "{raised:?}");
    }
}
