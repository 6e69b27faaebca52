//! A small stack, so that all of the plugin's memory is one page of WebAssembly. Its size is such
//! that the written part of the data behind it, some 5.8 KiB further, begins with a page of 4 KiB
//! (docs/guest.md, "What is cheap").

fn main() {
    println!("cargo::rustc-link-arg-cdylib=-zstack-size=55520");
    println!("cargo::rerun-if-changed=build.rs");
}
