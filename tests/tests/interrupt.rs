//! Ends a guest from outside with the host's interrupt handle.

use std::net::TcpStream;
use uv_handles_host::{Interrupted, SendError};
use uv_handles_tests::os::listener;
use uv_handles_tests::*;

foreach_interrupt!(assert_test_exists);

/// It ended with the error that only an interrupt causes.
fn assert_interrupted(output: &Output) {
    let End::Trap(error) = &output.end else {
        panic!("{output:?}");
    };
    assert_eq!(error.downcast_ref::<Interrupted>(), Some(&Interrupted), "{error:?}");
}

/// A guest that is blocked inside the host, without any timer, is ended. It runs no more code, and
/// everything that it had is released.
#[test]
fn interrupt_blocked() {
    let (clients, address) = listener();
    let mut handles = None;
    let mut guest = spawn(INTERRUPT_BLOCKED, |uv| {
        uv.descriptor("clients", clients).unwrap();
        handles = Some((uv.interrupt_handle(), uv.async_sender("wake-up")));
    });
    let (interrupt, wake_up) = handles.unwrap();
    guest.expect("waiting");
    assert!(!interrupt.is_interrupted());
    interrupt.interrupt();
    let output = guest.wait();
    assert_interrupted(&output);
    assert_eq!(output.lines, ["waiting"]);
    assert_eq!(wake_up.send(), Err(SendError::Closed));
    assert!(TcpStream::connect(address).is_err(), "the listener is still open");
    assert!(interrupt.is_interrupted());
}

/// An interrupt before the guest begins to wait ends it at that point: after it has set up its
/// handles, which it does not wait for.
#[test]
fn interrupt_is_sticky() {
    let (clients, _) = listener();
    let output = run(INTERRUPT_BLOCKED, |uv| {
        uv.descriptor("clients", clients).unwrap();
        uv.async_sender("wake-up");
        uv.interrupt_handle().interrupt();
    });
    assert_interrupted(&output);
    assert_eq!(output.lines, ["waiting"]);
}

/// A guest that is never blocked, because it always has a callback to run, is ended between two
/// callbacks.
#[test]
fn interrupt_busy() {
    let mut interrupt = None;
    let mut guest = spawn(INTERRUPT_BUSY, |uv| {
        interrupt = Some(uv.interrupt_handle());
    });
    guest.expect("busy");
    interrupt.unwrap().interrupt();
    assert_interrupted(&guest.wait());
}

/// Whatever the guest waits for, and under both configurations of the engine, it ends at once. Not
/// even its destructors run.
#[test]
fn interrupt_ends() {
    for how in ["timer", "nested", "wait", "next", "next-callbacks"] {
        for configuration in [Configuration::Recommended, Configuration::Default] {
            let mut interrupt = None;
            let mut guest = Guest::new(INTERRUPT_ENDS).arg(how).configuration(configuration).spawn(|uv| {
                interrupt = Some(uv.interrupt_handle());
            });
            guest.expect("ready");
            interrupt.unwrap().interrupt();
            let output = guest.wait();
            assert_interrupted(&output);
            assert_eq!(output.lines, ["ready"], "{how}");
        }
    }
}
