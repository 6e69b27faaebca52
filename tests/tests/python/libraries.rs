//! Pure Python packages of PyPI on asyncio, as a user runs them with `--pythonpath`.
//!
//! `cargo xtask test` installs those of tests/python/libraries.txt.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use uv_handles_tests::build_dir;
use uv_handles_tests::script::{Ended, PYTHON, root};

/// The options that grant the packages.
fn libraries() -> [String; 2] {
    let libraries = build_dir().with_file_name("python").join("libraries");
    assert!(libraries.is_dir(), "there is no {}: `cargo xtask test` makes it", libraries.display());
    let without_tls = root().join("guest-sdk/python/without_tls");
    [libraries, without_tls].map(|dir| format!("--pythonpath={}", dir.display()))
}

fn run(options: &[&str], text: &str) -> Ended {
    let libraries = libraries();
    let options: Vec<_> = libraries.iter().map(String::as_str).chain(options.iter().copied()).collect();
    PYTHON.run(&options, text)
}

#[test]
fn anyio() {
    let text = "
import anyio

async def work(number, results):
    await anyio.sleep(number)
    results.append(number)

async def main():
    results = []
    async with anyio.create_task_group() as group:
        for number in (3, 1, 2):
            group.start_soon(work, number, results)
    print(results)
    with anyio.move_on_after(5) as scope:
        await anyio.sleep_forever()
    print(scope.cancelled_caught)
    sender, receiver = anyio.create_memory_object_stream(1)

    async def send():
        async with sender:
            for number in range(3):
                await sender.send(number)

    async with anyio.create_task_group() as group:
        group.start_soon(send)
        async with receiver:
            print([item async for item in receiver])

anyio.run(main)
";
    run(&["--virtual-time"], text).printed(&["[1, 2, 3]", "True", "[0, 1, 2]"]);
}

#[test]
fn aiostream() {
    let text = "
import asyncio
from aiostream import pipe, stream

async def main():
    squares = stream.count(interval=10) | pipe.map(lambda x: x * x) | pipe.take(5)
    print(await stream.list(squares))
    merged = stream.merge(stream.just('a'), stream.just('b')) | pipe.list()
    print(sorted(await merged))

asyncio.run(main())
";
    run(&["--virtual-time"], text).printed(&["[0, 1, 4, 9, 16]", "['a', 'b']"]);
}

/// HTTP/1.1 over a connection that the host has made.
#[test]
fn h11() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let head: Vec<_> = BufReader::new(connection.try_clone().unwrap())
            .lines()
            .map(Result::unwrap)
            .take_while(|line| !line.is_empty())
            .collect();
        let answer =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
        connection.write_all(answer.as_bytes()).unwrap();
        head
    });
    let text = "
import asyncio
import h11

async def get(target):
    reader, writer = await asyncio.open_connection('web')
    http = h11.Connection(h11.CLIENT)
    request = h11.Request(method='GET', target=target, headers=[('Host', 'web'), ('Connection', 'close')])
    writer.write(http.send(request) + http.send(h11.EndOfMessage()))
    body = b''
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(4096))
        elif isinstance(event, h11.Response):
            print(event.status_code)
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            writer.close()
            await writer.wait_closed()
            return body

print(asyncio.run(get('/greeting')))
";
    run(&[&format!("--connect=web={address}")], text).printed(&["200", "b'hello world'"]);
    let head = server.join().unwrap();
    assert_eq!(head[0], "GET /greeting HTTP/1.1");
}
