//! Asks for what was not granted, under every name that might mean something to a host.

use uv::async_handle::AsyncHandle;
use uv::descriptors::Descriptor;
use uv::event_loop::Loop;
use uv::types::ErrorCode;
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::assert_code;

pub fn main() {
    let event_loop = Loop::create().unwrap();
    let long = "a".repeat(1 << 20);
    let very_long = "/".repeat(32 << 20);
    let similar = format!("socket{}", "\0".repeat(1 << 10));
    let names = [
        "",
        " ",
        ".",
        "..",
        "/",
        "//",
        "\0",
        "\n",
        "*",
        "%s%n",
        "0",
        "1",
        "2",
        "3",
        "-1",
        "18446744073709551615",
        "/etc/passwd",
        "../../etc/passwd",
        "/proc/self/fd/0",
        "/proc/self/mem",
        "/dev/stdin",
        "file:///etc/passwd",
        "\\\\.\\pipe\\x",
        "C:\\",
        "127.0.0.1:80",
        "[::1]:80",
        "@abstract",
        "\0abstract",
        "stdin",
        "stdout",
        "Socket",
        "socket ",
        " socket",
        "socket\0",
        "sock",
        "socket/../socket",
        "ѕocket",
        "💣",
        &similar,
        &long,
        &very_long,
    ];
    for name in names {
        assert_code(Descriptor::open(name), ErrorCode::Enoent);
        assert_code(AsyncHandle::create_named(&event_loop, 1, name), ErrorCode::Enoent);
    }
    // A wake-up's name is no descriptor's, nor the other way round.
    assert_code(Descriptor::open("wake"), ErrorCode::Enoent);
    assert_code(AsyncHandle::create_named(&event_loop, 1, "socket"), ErrorCode::Enoent);
    assert!(event_loop.handles().is_empty(), "what was refused has left nothing");

    // Addresses are no names of files, hosts or services.
    let datagrams = Descriptor::open("datagrams").unwrap();
    let addresses = [
        "",
        "/tmp/socket",
        "localhost:80",
        "127.0.0.1",
        "127.0.0.1:99999",
        ":80",
        "\0x",
        "@x",
        "unix:/tmp/x",
    ];
    for address in addresses.into_iter().chain([similar.as_str(), &long]) {
        assert_code(datagrams.send_to(b"x", address), ErrorCode::Einval);
    }

    // Signals that were not granted, those that no guest may have, and numbers that are none.
    let signal = uv::signal::Signal::create(&event_loop, 1).unwrap();
    for signum in i32::MIN..i32::MIN + 100 {
        assert_code(signal.start(signum), ErrorCode::Einval);
    }
    for signum in -100..200 {
        let expected = match signum {
            4..=9 | 11 | 19 | 32 | 33 => ErrorCode::Einval,
            1..=64 => ErrorCode::Eacces,
            _ => ErrorCode::Einval,
        };
        assert_code(signal.start(signum), expected);
        assert_code(signal.start_oneshot(signum), expected);
    }
    assert_eq!(signal.signum().unwrap(), 0);
    assert!(Descriptor::open("socket").is_ok() && AsyncHandle::create_named(&event_loop, 1, "wake").is_ok());
}
