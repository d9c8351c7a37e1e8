//! What all decoders of a process may hold together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// Counts the bytes that are held for messages that are not whole yet, or are being decoded. Who
/// shares a pool shares its memory: by default all of a process.
#[derive(Debug, Default)]
pub struct Pool {
    held: AtomicUsize,
}

/// The pool of whoever was given none.
static PROCESS: LazyLock<Arc<Pool>> = LazyLock::new(Arc::default);

impl Pool {
    /// The pool that all of this process share.
    pub fn of_process() -> Arc<Pool> {
        PROCESS.clone()
    }

    /// How many bytes are held now.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Takes so many bytes more, unless more than `limit` would be held then.
    fn take(&self, bytes: usize, limit: usize) -> bool {
        let taken = self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            held.checked_add(bytes).filter(|held| *held <= limit)
        });
        taken.is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The same pool, whatever it holds.
impl PartialEq for Pool {
    fn eq(&self, other: &Pool) -> bool {
        std::ptr::eq(self, other)
    }
}

/// Bytes of a pool, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    pool: Arc<Pool>,
    /// The most that may be held by all together.
    limit: usize,
    bytes: usize,
}

impl Claim {
    /// Nothing yet, of a pool in which `limit` bytes may be held.
    pub(super) fn new(pool: &Arc<Pool>, limit: usize) -> Claim {
        Claim { pool: pool.clone(), limit, bytes: 0 }
    }

    /// Claims so many bytes in all, no more and no less; whether there was room for them.
    pub(super) fn set(&mut self, bytes: usize) -> bool {
        if bytes > self.bytes && !self.pool.take(bytes - self.bytes, self.limit) {
            return false;
        }
        self.pool.give_back(self.bytes.saturating_sub(bytes));
        self.bytes = bytes;
        true
    }

    /// Claims so many bytes in all; where there is no room for them, half of what is free, which leaves
    /// the others something. Returns how many there are now.
    pub(super) fn up_to(&mut self, bytes: usize) -> usize {
        let mut wanted = bytes;
        while wanted > self.bytes && !self.set(wanted) {
            let free = self.limit.saturating_sub(self.pool.held());
            wanted = (self.bytes + free / 2).min(wanted - 1);
        }
        self.bytes
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.pool.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_claimed_than_there_is_and_all_is_given_back() {
        let pool = Arc::default();
        let mut one = Claim::new(&pool, 100);
        let mut other = Claim::new(&pool, 100);
        assert!(one.set(60));
        assert!(!other.set(41));
        assert_eq!(pool.held(), 60, "what was refused is not held");
        assert!(other.set(40));
        assert!(one.set(10));
        assert_eq!(pool.held(), 50);
        assert_eq!(one.up_to(1000), 35, "half of what is free");
        assert_eq!(one.up_to(36), 36);
        assert!(!one.set(usize::MAX));
        drop(one);
        assert_eq!(pool.held(), 40);
        drop(other);
        assert_eq!(pool.held(), 0);
    }

    #[test]
    fn claims_of_many_threads_never_exceed_the_limit() {
        let pool: Arc<Pool> = Arc::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for i in 0..10_000 {
                        let mut claim = Claim::new(&pool, 100);
                        claim.set(i % 60);
                        assert!(pool.held() <= 100);
                    }
                });
            }
        });
        assert_eq!(pool.held(), 0);
    }
}
