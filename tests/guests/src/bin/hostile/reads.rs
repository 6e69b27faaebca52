//! Reads and buffers of absurd lengths. The host allows 1,000 bytes for one read.

use uv::descriptors::{Descriptor, Word};
use uv::types::StatusCode;
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::assert_status;

const LIMIT: usize = 1_000;

pub fn main() {
    let stream = Descriptor::open("stream").unwrap();
    let datagrams = Descriptor::open("datagrams").unwrap();
    for max in [u32::MAX, u32::MAX - 1, 1 << 31, i32::MAX as u32, 1_001, 1_000] {
        assert_eq!(stream.read(max).unwrap().len(), LIMIT, "{max}");
        assert_eq!(datagrams.recv_from(max).unwrap().bytes.len(), LIMIT, "{max}");
    }
    for max in [u32::MAX, 1_001, 9, 8] {
        assert_eq!(stream.read_word(max).unwrap().length, 8, "{max}");
    }
    assert_eq!(stream.read_word(3).unwrap().bytes >> 24, 0, "nothing behind the three");
    assert_eq!(stream.read_word(0).unwrap().length, 0, "not the end");
    for length in [9, 1 << 31, u32::MAX] {
        assert_status(stream.write_word(Word { length, bytes: 0 }), StatusCode::Einval);
    }
    assert!(stream.read(0).unwrap().is_empty(), "not the end");
    assert_eq!(stream.read(1).unwrap().len(), 1);
    assert_eq!(datagrams.recv_from(0).unwrap().bytes.len(), 0);
    let address = datagrams.local_address().unwrap();
    let far_too_long = vec![0; 1 << 20];
    assert_status(datagrams.send_to(&far_too_long, &address), StatusCode::Emsgsize);
    for descriptor in [&stream, &datagrams] {
        for size in [0, 1 << 31, u32::MAX] {
            assert_status(descriptor.set_send_buffer_size(size), StatusCode::Einval);
            assert_status(descriptor.set_receive_buffer_size(size), StatusCode::Einval);
        }
        for size in [1, i32::MAX as u32] {
            descriptor.set_send_buffer_size(size).unwrap();
            descriptor.set_receive_buffer_size(size).unwrap();
            // What the system made of it.
            assert!((1..=i32::MAX as u32).contains(&descriptor.send_buffer_size().unwrap()));
            assert!((1..=i32::MAX as u32).contains(&descriptor.receive_buffer_size().unwrap()));
        }
    }
    assert_eq!(stream.read(u32::MAX).unwrap().len(), LIMIT, "what was there is still there");
}
