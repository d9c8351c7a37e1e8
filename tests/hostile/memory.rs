//! An allocator that knows how much is taken, and how much was at most.

#![allow(unsafe_code, reason = "an allocator cannot be written without")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted.
pub struct Counted;

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // What is large is not copied when it grows: the system moves its pages.
        TAKEN.fetch_sub(layout.size(), Ordering::Relaxed);
        take(size);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn take(size: usize) {
    let taken = TAKEN.fetch_add(size, Ordering::Relaxed) + size;
    MOST.fetch_max(taken, Ordering::Relaxed);
}

/// How many bytes are taken now.
pub fn taken() -> usize {
    TAKEN.load(Ordering::Relaxed)
}

/// Begins to measure anew.
pub fn restart() {
    MOST.store(taken(), Ordering::Relaxed);
}

/// How many bytes were taken at once, at most, since [`restart`].
pub fn most() -> usize {
    MOST.load(Ordering::Relaxed)
}
