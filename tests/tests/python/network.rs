//! WASI's network in Python under uv-run: asyncio and `socket`, against real peers on loopback.

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::sync::mpsc;
use std::thread;
use uv_handles_tests::PATIENCE;
use uv_handles_tests::os::{accept, echo_clients, listener, refusing_address, reset};
use uv_handles_tests::python_peers::{lines, start};
use uv_handles_tests::script::PYTHON;

#[test]
fn connections_of_streams() {
    let (echo, address) = listener();
    let (_kept, refusing) = refusing_address();
    let (_silent, silent) = listener();
    let peer = thread::spawn(move || {
        let mut client = accept(&echo);
        let mut all = Vec::new();
        client.read_to_end(&mut all).unwrap();
        client.write_all(&all.to_ascii_uppercase()).unwrap();
        drop(client);
        reset(accept(&echo));
    });
    let source = "
async def main():
    reader, writer = await asyncio.open_connection(*ADDRESSES[0])
    print(writer.get_extra_info('peername') == ADDRESSES[0])
    for _ in range(30):
        writer.write(b'a' * 100_000)
        await writer.drain()
    writer.write_eof()
    print(len(await reader.read()))
    writer.close()
    await writer.wait_closed()

    try:
        reader, writer = await asyncio.open_connection(*ADDRESSES[0])
        print(await reader.read())
    except ConnectionResetError:
        print('reset')

    for address in (*ADDRESSES[1:], ('127.0.0.2', 1)):
        try:
            async with asyncio.timeout(1):
                reader, writer = await asyncio.open_connection(*address)
                await reader.read()
        except OSError as error:
            print(type(error).__name__, str(address) in str(error))

asyncio.run(main(), debug=True)
";
    let lines = lines(&["--tcp-connect=127.0.0.1:*"], source, &[address, refusing, silent]);
    let expected = [
        "True",
        "3000000",
        "reset",
        "ConnectionRefusedError True",
        "TimeoutError False",
        "PermissionError True",
    ];
    assert_eq!(lines, expected);
    peer.join().unwrap();
}

#[test]
fn a_server_of_streams() {
    let source = "
async def serve(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()
    served.append(writer)
    if len(served) == 3:
        server.close()

async def main():
    global server
    server = await asyncio.start_server(serve, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1])
    try:
        await server.serve_forever()
    except asyncio.CancelledError:
        print(len(served))

served = []
asyncio.run(main())
";
    let (mut process, _dir) = start(&["--tcp-listen=127.0.0.1:0"], source, &[]);
    let port = process.stdout.next_line().unwrap();
    echo_clients(format!("127.0.0.1:{port}").parse().unwrap());
    assert_eq!(process.stdout.next_line().as_deref(), Some("3"));
    assert_eq!(process.exit_code(), 0);
}

/// As with real sockets: closing does not wait for a peer that reads slowly, and loses nothing.
#[test]
fn bytes_are_sent_after_the_connection_was_closed() {
    let (listener, address) = listener();
    let (send, is_over) = mpsc::channel();
    let peer = thread::spawn(move || {
        let mut client = accept(&listener);
        is_over.recv_timeout(PATIENCE).unwrap();
        let mut all = Vec::new();
        client.read_to_end(&mut all).unwrap();
        all.len()
    });
    let source = "
async def main():
    reader, writer = await asyncio.open_connection(*ADDRESSES[0])
    sent = 0
    sock = writer.transport.get_extra_info('socket')._sock
    while True:
        try:
            sent += sock.send(bytes(50_000))
        except BlockingIOError:
            break
    writer.close()
    await writer.wait_closed()
    print(sent)

asyncio.run(main())
";
    let (mut process, _dir) = start(&["--tcp-connect=127.0.0.1:*"], source, &[address]);
    let sent: usize = process.stdout.next_line().unwrap().parse().unwrap();
    send.send(()).unwrap();
    assert_eq!(peer.join().unwrap(), sent);
    assert_eq!(process.exit_code(), 0);
}

#[test]
fn datagrams() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let address = peer.local_addr().unwrap();
    let answers = thread::spawn(move || {
        for _ in 0..2 {
            let mut buffer = [0; 100];
            let (length, sender) = peer.recv_from(&mut buffer).unwrap();
            peer.send_to(&buffer[..length].to_ascii_uppercase(), sender).unwrap();
        }
    });
    let source = "
class Protocol(asyncio.DatagramProtocol):
    def __init__(self):
        self.events = asyncio.Queue()
    def datagram_received(self, data, sender):
        self.events.put_nowait((data, sender == ADDRESSES[0]))
    def error_received(self, error):
        self.events.put_nowait(error)

async def main():
    loop = asyncio.get_running_loop()
    for options in ({'remote_addr': ADDRESSES[0]}, {'local_addr': ('127.0.0.1', 0)}):
        transport, protocol = await loop.create_datagram_endpoint(Protocol, **options)
        transport.sendto(b'ping', ADDRESSES[0])
        print(await protocol.events.get())
        if 'local_addr' in options:
            transport.sendto(b'ping', ('127.0.0.2', 1))
            error = await protocol.events.get()
            print(type(error).__name__, '127.0.0.2' in str(error))
        transport.close()

asyncio.run(main())
";
    let options = ["--udp-bind=127.0.0.1:0", "--udp-send=127.0.0.1:*"];
    let expected = ["(b'PING', True)", "(b'PING', True)", "PermissionError True"];
    assert_eq!(lines(&options, source, &[address]), expected);
    answers.join().unwrap();
}

#[test]
fn names() {
    let source = "
async def main():
    loop = asyncio.get_running_loop()
    for name in ('localhost', '127.0.0.1', 'name.invalid', 'a b'):
        for look in (loop.getaddrinfo, lambda *args, **options: asyncio.sleep(0, socket.getaddrinfo(*args, **options))):
            try:
                found = await look(name, 'http', type=socket.SOCK_STREAM)
                print(name, ('127.0.0.1', 80) in [entry[4][:2] for entry in found])
            except socket.gaierror as error:
                print(name, error.errno == socket.EAI_NONAME, name in str(error))

asyncio.run(main())
";
    let expected = ["localhost True", "127.0.0.1 True", "name.invalid True True", "a b True True"];
    let expected: Vec<_> = expected.iter().flat_map(|line| [line, line]).collect();
    assert_eq!(lines(&["--name-lookup"], source, &[]), expected.into_iter().copied().collect::<Vec<_>>());
    let local = "
for family, kind, proto, _, address in socket.getaddrinfo(None, 80, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE):
    print(family.name, kind.name, address[0])
print(socket.getaddrinfo('fe80::1%2', 80, type=socket.SOCK_STREAM)[0][4])
print(socket.getnameinfo(('127.0.0.1', 80), 0))
for attempt in (lambda: socket.getaddrinfo('127.0.0.1', 80, socket.AF_INET6), lambda: socket.getnameinfo(('a', 1), 0)):
    try:
        attempt()
    except socket.gaierror as error:
        print(error.args[1])
";
    let expected = [
        "AF_INET SOCK_DGRAM 0.0.0.0",
        "AF_INET6 SOCK_DGRAM ::",
        "('fe80::1', 80, 0, 2)",
        "('127.0.0.1', '80')",
        "127.0.0.1: it has no address of this kind",
        "a: the name is not known",
    ];
    assert_eq!(lines(&[], local, &[]), expected);
    let denied = PYTHON.run(
        &[],
        "import socket\ntry: socket.getaddrinfo('localhost', 1)\nexcept socket.gaierror as error: print(error)\n",
    );
    assert!(denied.stdout[0].contains("localhost") && denied.stdout[0].contains("grant"), "{denied:?}");
}

#[test]
fn errors_name_the_option_that_grants_an_address() {
    let source = "
def attempt(function):
    try:
        function()
    except OSError as error:
        print(type(error).__name__, str(error).partition('(uv-run ')[2].partition(')')[0])

def tcp(family=socket.AF_INET):
    return socket.socket(family)

def udp():
    return socket.socket(type=socket.SOCK_DGRAM)

attempt(lambda: tcp().connect(('127.0.0.1', 7)))
attempt(lambda: tcp(socket.AF_INET6).connect(('::1', 7)))
attempt(lambda: tcp().bind(('127.0.0.1', 7)))
attempt(lambda: socket.create_server(('127.0.0.1', 7)))
attempt(lambda: tcp().listen())
attempt(lambda: udp().bind(('127.0.0.1', 7)))
attempt(lambda: udp().sendto(b'a', ('127.0.0.1', 7)))
attempt(lambda: udp().connect(('127.0.0.1', 7)))
attempt(lambda: socket.getaddrinfo('localhost', 7))

async def main():
    attempts = [
        asyncio.open_connection('127.0.0.1', 7),
        asyncio.start_server(print, '127.0.0.1', 7),
        asyncio.open_connection('localhost', 7),
    ]
    for result in await asyncio.gather(*attempts, return_exceptions=True):
        print(type(result).__name__, '(uv-run --' in str(result))

asyncio.run(main())
";
    let expected = [
        "PermissionError --tcp-connect 127.0.0.1:7",
        "PermissionError --tcp-connect [::1]:7",
        "PermissionError --tcp-listen 127.0.0.1:7",
        "PermissionError --tcp-listen 127.0.0.1:7",
        "PermissionError --tcp-listen 0.0.0.0:0",
        "PermissionError --udp-bind 127.0.0.1:7",
        "PermissionError --udp-send 127.0.0.1:7",
        "PermissionError --udp-send 127.0.0.1:7",
        "gaierror --name-lookup",
        "PermissionError True",
        "PermissionError True",
        "gaierror True",
    ];
    assert_eq!(lines(&[], source, &[]), expected);
}

#[test]
fn advice_names_the_descriptor_that_is_granted_by_name() {
    let (_kept, address) = refusing_address();
    let port = address.port();
    let text = format!(
        "
import asyncio
async def main():
    for host in ('127.0.0.1', 'clients'):
        try:
            await asyncio.start_server(print, host, {port})
        except OSError:
            pass
asyncio.run(main())
"
    );
    drop(_kept);
    let ended = PYTHON.run(&[&format!("--listen=clients=127.0.0.1:{port}")], text);
    assert_eq!(ended.code, 0, "{ended:?}");
    let [_, by_address, by_name] = &ended.stderr[..] else { panic!("{ended:?}") };
    for line in [by_address, by_name] {
        assert!(line.contains("--listen grants the descriptor \"clients\""), "{ended:?}");
        assert!(!line.contains("--tcp-listen") && !line.contains("--name-lookup"), "{ended:?}");
    }
}

#[test]
fn methods_of_the_loop_on_sockets() {
    let source = "
async def main():
    loop = asyncio.get_running_loop()
    listener = socket.socket()
    listener.setblocking(False)
    listener.bind(('127.0.0.1', 0))
    listener.listen()
    client = socket.socket()
    client.setblocking(False)
    accepting = asyncio.create_task(loop.sock_accept(listener))
    await loop.sock_connect(client, listener.getsockname())
    server, peer = await accepting
    print(peer == client.getsockname())
    reading = asyncio.create_task(loop.sock_recv(server, 10))
    await loop.sock_sendall(client, b'hello')
    print(await reading)
    buffer = bytearray(3)
    reading = asyncio.create_task(loop.sock_recv_into(client, buffer))
    await loop.sock_sendall(server, b'abcdef')
    print(await reading, buffer, client.recv(10))
    # A wait that is cancelled leaves nothing behind.
    reading = asyncio.create_task(loop.sock_recv(server, 10))
    await asyncio.sleep(0.001)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    print(loop.remove_reader(server))
    got = loop.create_future()
    loop.add_reader(server, lambda: got.done() or got.set_result(server.recv(10)))
    client.shutdown(socket.SHUT_WR)
    print(await got)
    # Closed while it is watched.
    server.close()
    client.close()
    listener.close()
    print(server.fileno(), server)

asyncio.run(main())
";
    let options = ["--tcp-listen=127.0.0.1:0", "--tcp-connect=127.0.0.1:*"];
    let expected = [
        "True",
        "b'hello'",
        "3 bytearray(b'abc') b'def'",
        "False",
        "b''",
        "-1 <socket.socket closed, family=1, type=6>",
    ];
    assert_eq!(lines(&options, source, &[]), expected);
}

#[test]
fn sockets_that_block() {
    let source = "
import gc
server = socket.create_server(('127.0.0.1', 0))
client = socket.create_connection(server.getsockname())
connection, _ = server.accept()
client.sendall(b'one\\ntwo\\n')
with connection.makefile('r') as file:
    print(file.readline(), file.readline(), sep='', end='')
client.settimeout(0.01)
try:
    client.recv(1)
except TimeoutError as error:
    print(error)
for address in (('127.0.0.2', 1), ('127.0.0.1', server.getsockname()[1])):
    try:
        socket.create_server(address)
    except OSError as error:
        print(type(error).__name__)
connection.close()
print(client.recv(1))
# The collector frees the host's resources in their order, in cycles too.
for _ in range(3):
    peer = socket.create_connection(server.getsockname())
    peer.itself = peer
    udp = socket.socket(type=socket.SOCK_DGRAM)
    udp.itself = udp
    del peer, udp
gc.collect()
del server, client, connection
for attempt in (lambda: socket.socket(fileno=3), socket.socket().detach, lambda: socket.socket(3),
                lambda: socket.socket().bind('name'), lambda: socket.socket().recv(1)):
    try:
        attempt()
    except (OSError, TypeError) as error:
        print(type(error).__name__)
";
    let options = ["--tcp-listen=127.0.0.1:*", "--tcp-connect=127.0.0.1:*"];
    let expected = [
        "one",
        "two",
        "timed out",
        "PermissionError",
        "OSError",
        "b''",
        "OSError",
        "OSError",
        "OSError",
        "TypeError",
        "OSError",
    ];
    assert_eq!(lines(&options, source, &[]), expected);
}

/// The callback of a socket that blocks is called when there is data, and for all of it.
#[test]
fn readers_of_sockets_that_block() {
    let source = "
def read(sock, size):
    got.append(sock.recv(size))
    if b''.join(got) == b'abcd' and not all_come.done():
        all_come.set_result(None)

async def main():
    global all_come
    server = socket.create_server(('127.0.0.1', 0))
    loop = asyncio.get_running_loop()
    for sends_first in (False, True):
        client = socket.create_connection(server.getsockname())
        if sends_first:
            client.sendall(b'abcd')
        connection, _ = server.accept()
        got.clear()
        all_come = loop.create_future()
        loop.add_reader(connection, read, connection, 3)
        if not sends_first:
            await asyncio.sleep(0.01)
            print(got)
            client.sendall(b'abcd')
        await all_come
        print(b''.join(got))
        loop.remove_reader(connection)
        connection.close()
        client.close()

got = []
asyncio.run(main())
";
    let options = ["--tcp-listen=127.0.0.1:*", "--tcp-connect=127.0.0.1:*"];
    assert_eq!(lines(&options, source, &[]), ["[]", "b'abcd'", "b'abcd'"]);
}
