//! Opens a descriptor by each name in its arguments, twice, and prints what comes of it; then it drops them, and
//! does it once more.

use uv_handles::{Descriptor, Result};

fn open(name: &str) -> (String, Option<Descriptor>) {
    match Descriptor::open(name) {
        Ok(descriptor) => (format!("{name}: open"), Some(descriptor)),
        Err(error) => (format!("{name}: {}", error.code().expect("a status").name()), None),
    }
}

pub fn main() -> Result<()> {
    let names: Vec<String> = uv_handles_test_guests::args().collect();
    for _ in 0..2 {
        let (lines, _opened): (Vec<_>, Vec<_>) = names.iter().chain(&names).map(|name| open(name)).unzip();
        lines.iter().for_each(|line| println!("{line}"));
    }
    Ok(())
}
