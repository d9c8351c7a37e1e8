//! A quick hash with a secret seed, so that no peer can choose keys that collide.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;

/// Builds hashers that fold 128-bit products, as wyhash and foldhash do.
#[derive(Clone, Copy)]
pub(super) struct Seed(u64, u64);

impl Default for Seed {
    fn default() -> Seed {
        static SEED: OnceLock<(u64, u64)> = OnceLock::new();
        let (first, second) = *SEED.get_or_init(|| {
            let random = RandomState::new();
            (random.hash_one(0u8), random.hash_one(1u8) | 1)
        });
        Seed(first, second)
    }
}

impl Seed {
    /// Another one, as secret.
    pub(super) fn other(self) -> Seed {
        Seed(self.1, self.0 | 1)
    }
}

impl BuildHasher for Seed {
    type Hasher = Folded;

    fn build_hasher(&self) -> Folded {
        Folded { state: self.0, secret: self.1 }
    }
}

pub(super) struct Folded {
    state: u64,
    secret: u64,
}

impl Folded {
    #[inline(always)]
    fn fold(&mut self, word: u64) {
        let product = u128::from(self.state ^ word) * u128::from(self.secret);
        // The sum keeps what a product with zero would lose.
        self.state =
            (product as u64 ^ (product >> 64) as u64).wrapping_add(self.state.rotate_left(23));
    }
}

impl Hasher for Folded {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.fold(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.fold(u64::from_le_bytes(last) ^ (bytes.len() as u64) << 56);
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.fold(value.into());
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.fold(value.into());
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.fold(value);
    }

    #[inline]
    fn write_i64(&mut self, value: i64) {
        self.fold(value as u64);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.fold(value as u64);
    }

    #[inline]
    fn write_isize(&mut self, value: isize) {
        self.fold(value as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        let product = u128::from(self.state) * u128::from(self.secret);
        product as u64 ^ (product >> 64) as u64
    }
}
