//! Prints a line after the other, as `yes` does, for as long as somebody reads them.

pub fn main() {
    for number in 0u64.. {
        println!("line {number}");
    }
}
