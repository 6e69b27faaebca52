//! Instantiated by the benchmark, beside `bench_with`: the same program without `uv:handles`.

fn main() {
    for argument in std::env::args().skip(1) {
        println!("{argument}");
    }
}
