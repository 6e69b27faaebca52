//! A server that hosts the plugins of a directory on one runtime.

fn main() {}
