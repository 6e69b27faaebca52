//! A small stack, so that all of the plugin's memory is one page of WebAssembly. Its size is such
//! that the part of the stack that is used, the data and the heap, together some 7.7 KiB, are the
//! last two pages of 4 KiB (docs/guest.md, "What is cheap").

fn main() {
    println!("cargo::rustc-link-arg-cdylib=-zstack-size=57728");
    println!("cargo::rerun-if-changed=build.rs");
}
