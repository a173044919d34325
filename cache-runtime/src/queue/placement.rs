//! Where items go, as far as this process knows the layout of the queue.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::queue::push::clock;
use crate::store::queue::Layout;

/// How often a push asks where its item belongs before it gives up.
pub(super) const MOVES: u32 = 32;

/// Where an item goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) partition: u32,
    /// The layout by which it was chosen; 0: none is known.
    pub(super) epoch: u64,
    pub(super) spread: u32,
    /// Its version is to be later than these microseconds.
    pub(super) us: u64,
    pub(super) is_keyed: bool,
}

/// What this process knows of the layout.
#[derive(Debug)]
pub(super) struct LocalLayout {
    /// The latest known.
    current: Mutex<Layout>,
    /// Nothing is left of what came before this one.
    settled: AtomicU64,
    /// The latest layout that a partition has reported.
    heard: AtomicU64,
}

impl LocalLayout {
    /// As many partitions as this process would have.
    pub(super) fn new(own: u32) -> Self {
        let (settled, heard) = (AtomicU64::new(0), AtomicU64::new(0));
        let current = Mutex::new(Layout { spread: own, ..Layout::default() });
        Self { current, settled, heard }
    }

    pub(super) fn current(&self) -> Layout {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn settled(&self) -> u64 {
        self.settled.load(Ordering::Relaxed)
    }

    /// The latest layout that a partition has reported.
    pub(super) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    pub(super) fn heard_of(&self, epoch: u64) {
        self.heard.fetch_max(epoch, Ordering::Relaxed);
    }

    pub(super) fn note(&self, layout: &Layout) {
        if layout.epoch > 0 {
            clock::observe(layout.us);
            *self.current.lock().unwrap_or_else(PoisonError::into_inner) = *layout;
            let settled = layout.epoch - u64::from(layout.drains);
            self.settled.fetch_max(settled, Ordering::Relaxed);
        }
    }
}
