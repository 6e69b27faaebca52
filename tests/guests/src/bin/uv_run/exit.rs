//! Prints its arguments and ends as the first one says: with a number as its exit code, with an
//! error, or with a trap.

pub fn main() -> Result<(), String> {
    let args: Vec<String> = uv_handles_test_guests::args().collect();
    println!("{}", args.join(" "));
    match args.first().map(String::as_str) {
        None => Ok(()),
        Some("error") => Err("as it is meant to".into()),
        Some("trap") => panic!("as it is meant to"),
        Some(code) => std::process::exit(code.parse().expect("a number")),
    }
}
