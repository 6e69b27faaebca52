//! Prints what WASI gives it: its environment, and for each directory of its arguments what is in it
//! and whether a file can be written there.

use std::fs;

pub fn main() {
    let mut variables: Vec<_> = std::env::vars().collect();
    variables.sort();
    for (name, value) in variables {
        println!("{name}={value}");
    }
    for dir in uv_handles_test_guests::args() {
        let Ok(entries) = fs::read_dir(&dir) else {
            println!("{dir}: not there");
            continue;
        };
        let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        for file in files {
            println!("{}: {}", file.display(), fs::read_to_string(&file).expect("a text"));
        }
        let written = fs::write(format!("{dir}/written"), "by the guest");
        println!("{dir}: {}", if written.is_ok() { "written" } else { "not written" });
    }
}
