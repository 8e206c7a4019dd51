//! What firmware brings in place of `std`: a panic handler and an allocator.

#![allow(unsafe_code, reason = "an allocator can be written in no other way; nothing of this ships")]

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::UnsafeCell,
    panic::PanicInfo,
    ptr,
    sync::atomic::{AtomicUsize, Ordering},
};

#[panic_handler]
fn halt(_: &PanicInfo) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[global_allocator]
static HEAP: Heap = Heap { bytes: UnsafeCell::new([0; HEAP_BYTES]), used: AtomicUsize::new(0) };

const HEAP_BYTES: usize = 16 * 1024;

/// Hands out memory from the front, and takes none back.
struct Heap {
    bytes: UnsafeCell<[u8; HEAP_BYTES]>,
    used: AtomicUsize,
}

// SAFETY: the bytes are only reached through `alloc`, which gives no byte to two callers.
unsafe impl Sync for Heap {}

// SAFETY: each block lies within `bytes`, is aligned as asked, and overlaps no other, since `used` only grows.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.bytes.get().cast::<u8>();
        let mut offset = 0;
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            let free = start as usize + used;
            offset = used + (free.next_multiple_of(layout.align()) - free);
            offset.checked_add(layout.size()).filter(|end| *end <= HEAP_BYTES)
        });
        // SAFETY: `offset` is within `bytes` whenever a block was taken.
        if taken.is_ok() { unsafe { start.add(offset) } } else { ptr::null_mut() }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
