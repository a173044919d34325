//! Counters of which each thread has its own, as far as there are enough.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Sets of counters for one function: threads on different ones do not slow each other down.
pub(super) const STRIPES: usize = 8;

/// The stripe of the present thread.
pub(super) fn mine() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<usize> = Cell::new(NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES);
    }
    MINE.try_with(Cell::get).unwrap_or(0)
}
