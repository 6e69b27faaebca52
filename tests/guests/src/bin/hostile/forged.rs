//! Passes what is not its own to give: numbers of resources that do not exist, are of another kind or are
//! gone, text that is none, more bytes than it has. The argument says which. No call may return.

use uv::descriptors::Descriptor;
use uv::event_loop::Loop;
use uv::idle::Idle;
use uv::timer::Timer;
use uv_handles::bindings::uv::handles as uv;

/// A name made of bytes that are not checked.
fn name(bytes: &[u8]) -> &str {
    // SAFETY: not sound, which is what is tested: it is only passed to the host.
    unsafe { std::str::from_utf8_unchecked(bytes) }
}

/// A resource of this number.
fn timer(number: u32) -> Timer {
    // SAFETY: in the guest a resource is a number, and wrong ones are what is tested.
    unsafe { Timer::from_handle(number) }
}

pub fn main() {
    let event_loop = Loop::create().unwrap();
    let real = Timer::create(&event_loop, 1).unwrap();
    let answer = match uv_handles_test_guests::args().next().as_deref() {
        Some("unknown") => format!("{:?}", timer(1_000_000).start(0, 0)),
        Some("zero") => format!("{:?}", timer(0).start(0, 0)),
        Some("loop") => format!("{:?}", timer(event_loop.handle()).start(0, 0)),
        // SAFETY: as above.
        Some("kind") => format!("{:?}", unsafe { Idle::from_handle(real.handle()) }.start()),
        Some("dropped") => {
            let number = real.handle();
            drop(real);
            format!("{:?}", timer(number).start(0, 0))
        }
        Some("twice") => {
            let number = real.handle();
            drop(real);
            drop(timer(number));
            "twice".into()
        }
        Some("text") => format!("{:?}", Descriptor::open(name(&[0xff, 0xfe, b'/', 0xc0]))),
        Some("length") => {
            let far = std::ptr::dangling::<u8>();
            // SAFETY: as above: the host must see that the memory ends before.
            format!("{:?}", Descriptor::open(name(unsafe { std::slice::from_raw_parts(far, 0x7000_0000) })))
        }
        // More than wasmtime copies for one call.
        Some("much") => format!("{:?}", Descriptor::open(name(&vec![b'a'; 129 << 20]))),
        other => panic!("{other:?}?"),
    };
    println!("the host has answered: {answer}");
}
