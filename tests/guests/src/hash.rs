//! A checksum that a guest and its test compute in the same way: the file is part of both.

/// A checksum of a stream of bytes (FNV-1a), however it is cut into chunks.
#[derive(Debug, Clone)]
pub struct Hash(u64);

impl Default for Hash {
    fn default() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// Goes on with these bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0 =
            bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    }

    /// The checksum of all bytes so far.
    pub fn value(&self) -> u64 {
        self.0
    }
}
