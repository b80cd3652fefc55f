//! An engine that was made before its module was deployed.
//!
//! Reading a configuration takes most of the engine's code and nearly all of its time before the first request. So a
//! tool of the npm package (`cae-compile`) makes the engine once, writes the memory of the module with it into another
//! module without that code, and whoever instantiates that takes the engine out.
//!
//! The memory is written as it is, so what was freed must not stay behind in it: [`Wiping`].

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};

use wasm_bindgen::prelude::*;

use super::{Engine, made};

thread_local! {
    static PREPARED: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

/// Makes an engine that stays in the memory of this module, which is good for nothing else afterwards: it goes on
/// wiping what is freed, the configuration too.
///
/// Throws a `ConfigurationError` that lists every fault.
#[wasm_bindgen]
pub fn prepare(configuration: &str) -> Result<(), JsValue> {
    IS_WIPING.store(true, Ordering::Relaxed);
    let engine = made(configuration, 0)?;
    PREPARED.set(Some(engine));
    Ok(())
}

/// Takes the engine that was prepared out of the memory of this module; `undefined` if there is none. `seed` as for a
/// new engine.
#[wasm_bindgen]
#[must_use]
pub fn prepared(seed: u64) -> Option<Engine> {
    IS_WIPING.store(false, Ordering::Relaxed);
    let mut engine = PREPARED.take()?;
    engine.0.forget_tokens(seed);
    Some(engine)
}

static IS_WIPING: AtomicBool = AtomicBool::new(false);

/// The system's allocator, which while an engine is prepared leaves nothing of what was freed.
#[derive(Debug)]
struct Wiping;

#[global_allocator]
static ALLOCATOR: Wiping = Wiping;

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe to implement; each call is passed on as it came, and what is wiped was handed back \
              by its owner, with the size that it was asked for with"
)]
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: what the caller promised us.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if IS_WIPING.load(Ordering::Relaxed) {
            // SAFETY: the block is the caller's, of this size, and nobody else's until the next line.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        // SAFETY: what the caller promised us.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !IS_WIPING.load(Ordering::Relaxed) {
            // SAFETY: what the caller promised us.
            return unsafe { System.realloc(block, layout, size) };
        }
        // A block that moves would leave its contents behind.
        let Ok(larger) = Layout::from_size_align(size, layout.align()) else {
            return std::ptr::null_mut();
        };
        // SAFETY: the size is not zero, as the caller promised; both blocks are at least as long as what is copied.
        unsafe {
            let moved = System.alloc(larger);
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(block, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}
