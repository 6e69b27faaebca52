//! A small stack, so that all of the plugin's memory is one page of WebAssembly (docs/guest.md, "What is cheap").

fn main() {
    println!("cargo::rustc-link-arg-cdylib=-zstack-size=57344");
    println!("cargo::rerun-if-changed=build.rs");
}
