//! The same random numbers as in C.

pub struct Random(u64);

impl Random {
    pub fn new() -> Random {
        Random(1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
}
