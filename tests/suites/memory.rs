//! How much memory the state takes, to the byte: an allocator counts what is asked for.
//!
//! Only what the test's own thread asks for: the harness allocates meanwhile. `cargo xtask bench` shows the resident
//! memory of the same state.
#![cfg(test)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use cae_tests::population;

thread_local! {
    /// Whether what this thread asks for is counted.
    static IS_COUNTED: Cell<bool> = const { Cell::new(false) };
}

/// The system's allocator, with its live bytes and the most that there ever were.
struct Counting {
    live: AtomicUsize,
    most: AtomicUsize,
}

impl Counting {
    fn add(&self, bytes: usize) {
        if !IS_COUNTED.get() {
            return;
        }
        let live = self.live.fetch_add(bytes, Relaxed).wrapping_add(bytes);
        self.most.fetch_max(live, Relaxed);
    }

    fn remove(&self, bytes: usize) {
        if IS_COUNTED.get() {
            self.live.fetch_sub(bytes, Relaxed);
        }
    }
}

#[expect(
    unsafe_code,
    reason = "the only way to count: every call goes to the system's allocator as it came"
)]
// SAFETY: the contract of `GlobalAlloc` is kept by `System`, and nothing here changes what it is asked or answers.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.remove(layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Both may exist for a moment: counted so.
        self.add(size);
        self.remove(layout.size());
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting {
    live: AtomicUsize::new(0),
    most: AtomicUsize::new(0),
};

/// Half of the 160 MiB that may be resident: what the allocator adds of its own comes on top.
const BOUND: usize = 80 << 20;

#[test]
fn state_of_a_million_users_is_small_and_is_so_while_it_grows() {
    IS_COUNTED.set(true);
    let before = HEAP.live.load(Relaxed);
    HEAP.most.store(before, Relaxed);
    let table = population::table();
    let live = HEAP.live.load(Relaxed).wrapping_sub(before);
    let most = HEAP.most.load(Relaxed).wrapping_sub(before);
    let records = table.len();
    assert_eq!(records, 1_200_000);
    assert_eq!(live, table.heap_bytes(), "the table knows its size");
    assert!(most <= BOUND, "{most}");
    drop(table);
    assert_eq!(HEAP.live.load(Relaxed), before, "nothing is left behind");
    // Only now: what is printed is kept on the heap until the test ends.
    println!(
        "{records} records: {live} bytes, at most {most} while they came, {} a record",
        live / records
    );
}
