//! What tests ask of flights.

use std::sync::atomic::Ordering;

use crate::engine::flight::{Flights, lock};

impl Flights {
    /// Whether no load is under way, nor counted as such.
    pub(crate) fn is_empty(&self) -> bool {
        let none = self.shards.iter().all(|shard| lock(shard).is_empty());
        assert_eq!(none, self.aloft.load(Ordering::Acquire) == 0, "they are counted");
        none
    }
}
