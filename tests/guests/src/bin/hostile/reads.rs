//! Reads and buffers of absurd lengths. The host allows 1,000 bytes for one read.

use uv::descriptors::{Descriptor, ShortBytes};
use uv::types::ErrorCode;
use uv_handles::bindings::uv::handles as uv;
use uv_handles_test_guests::assert_code;

const LIMIT: usize = 1_000;

pub fn main() {
    let stream = Descriptor::open("stream").unwrap();
    let datagrams = Descriptor::open("datagrams").unwrap();
    for max in [u32::MAX, u32::MAX - 1, 1 << 31, i32::MAX as u32, 1_001, 1_000] {
        assert_eq!(stream.read(max).unwrap().len(), LIMIT, "{max}");
        assert_eq!(datagrams.recv_from(max).unwrap().bytes.len(), LIMIT, "{max}");
    }
    for max in [u32::MAX, 1 << 31, 9, 8] {
        assert_eq!(stream.read_short(max).unwrap().length, 8, "{max}");
    }
    assert_eq!(stream.read_short(0).unwrap().length, 0);
    for length in [9, 64, 255] {
        let bytes = ShortBytes { length, bits: u64::MAX };
        assert_code(stream.write_short(bytes), ErrorCode::Einval);
    }
    assert!(stream.read(0).unwrap().is_empty(), "not the end");
    assert_eq!(stream.read(1).unwrap().len(), 1);
    assert_eq!(datagrams.recv_from(0).unwrap().bytes.len(), 0);
    let address = datagrams.local_address().unwrap();
    let far_too_long = vec![0; 1 << 20];
    assert_code(datagrams.send_to(&far_too_long, &address), ErrorCode::Emsgsize);
    for descriptor in [&stream, &datagrams] {
        for size in [0, 1 << 31, u32::MAX] {
            assert_code(descriptor.set_send_buffer_size(size), ErrorCode::Einval);
            assert_code(descriptor.set_receive_buffer_size(size), ErrorCode::Einval);
        }
        for size in [1, i32::MAX as u32] {
            descriptor.set_send_buffer_size(size).unwrap();
            descriptor.set_receive_buffer_size(size).unwrap();
            // The length that the OS allowed.
            assert!((1..=i32::MAX as u32).contains(&descriptor.send_buffer_size().unwrap()));
            assert!((1..=i32::MAX as u32).contains(&descriptor.receive_buffer_size().unwrap()));
        }
    }
    assert_eq!(stream.read(u32::MAX).unwrap().len(), LIMIT, "what was there is still there");
}
