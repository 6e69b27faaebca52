//! A gibibyte through a guest and back, with checksums on both ends.

use std::io::{Read, Write};
use std::net::Shutdown;
use uv_handles_tests::os::tcp_pair;
use uv_handles_tests::*;

foreach_transfer!(assert_test_exists);

const TOTAL: u64 = 1 << 30;

/// Bytes that do not repeat within the size of any buffer.
fn fill(chunk: &mut [u8], state: &mut u64) {
    for word in chunk.chunks_exact_mut(8) {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        word.copy_from_slice(&state.to_le_bytes());
    }
}

#[test]
fn transfer_echo() {
    let (mut ours, theirs) = tcp_pair();
    // It waits for a whole transfer, not for one step.
    ours.set_read_timeout(Some(10 * PATIENCE)).unwrap();
    let guest = spawn(TRANSFER_ECHO, |uv| {
        uv.descriptor("socket", theirs).unwrap();
    });
    let mut sends = ours.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        let (mut hash, mut state, mut chunk) = (Hash::default(), 1, vec![0; 64 * 1024]);
        for _ in 0..TOTAL / chunk.len() as u64 {
            fill(&mut chunk, &mut state);
            hash.update(&chunk);
            sends.write_all(&chunk).unwrap();
        }
        sends.shutdown(Shutdown::Write).unwrap();
        hash.value()
    });
    let (mut received, mut hash, mut chunk) = (0u64, Hash::default(), vec![0; 64 * 1024]);
    loop {
        let read = ours.read(&mut chunk).unwrap();
        if read == 0 {
            break;
        }
        hash.update(&chunk[..read]);
        received += read as u64;
    }
    let sent = sender.join().unwrap();
    let output = guest.wait().succeeded();
    assert_eq!((received, hash.value()), (TOTAL, sent));
    assert_eq!(output, [format!("{TOTAL} {sent}")]);
}
