//! What tells one state from another.

use std::hash::Hasher;

use sha2::{Digest as _, Sha256};

/// Gathers what is hashed and makes a digest of it, 128 bits long: two different states with the same one are out of the
/// question.
#[derive(Debug, Default)]
pub struct Fingerprint {
    bytes: Vec<u8>,
}

impl Fingerprint {
    /// The digest of all that was hashed.
    pub fn value(&self) -> u128 {
        let digest = Sha256::digest(&self.bytes);
        digest.iter().take(16).fold(0, |value, byte| value << 8 | u128::from(*byte))
    }
}

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The end of the digest.
    fn finish(&self) -> u64 {
        self.value() as u64
    }
}
