//! What keeps values out of a shard: leases, fences and tombstones.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::record::token::Token;
use crate::store::memory::transitions::{Content, Fence, Slot};
use crate::store::memory::weight::{self, allocated};

/// How often those that have expired are looked for. The time for it is proportional to their
/// number, so that a program that leaves many behind does not spend it at each access.
const SWEEP: Duration = Duration::from_secs(1);

/// Leases, fences and tombstones by key. They stay until they expire, because a value that was
/// stored too early would be stale; so they are not in the way of what looks for values to evict.
#[derive(Debug, Default)]
pub(super) struct Guards {
    slots: HashMap<Arc<str>, Slot>,
    weight: usize,
    next_sweep: Option<Instant>,
}

/// What a guard takes beside its key.
const OVERHEAD: usize = weight::of_table_entry::<(Arc<str>, Slot)>();

impl Guards {
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Arc<str>> {
        self.slots.keys()
    }

    pub(super) fn add(&mut self, key: Arc<str>, slot: Slot) {
        self.weight += weight_of(&key, &slot);
        self.slots.insert(key, slot);
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<(Arc<str>, Slot)> {
        let (key, slot) = self.slots.remove_entry(key)?;
        self.weight -= weight_of(&key, &slot);
        weight::shrink_table(&mut self.slots);
        Some((key, slot))
    }

    /// Removes those that have expired, if it is time to look.
    pub(super) fn forget_expired(&mut self, now: Instant) {
        if self.slots.is_empty() || self.next_sweep.is_some_and(|next| next > now) {
            return;
        }
        self.next_sweep = Some(now + SWEEP);
        let weight = &mut self.weight;
        self.slots.retain(|key, slot| {
            let stays = slot.until > now;
            if !stays {
                *weight -= weight_of(key, slot);
            }
            stays
        });
        weight::shrink_table(&mut self.slots);
    }
}

fn weight_of(key: &str, slot: &Slot) -> usize {
    let writers = match &slot.content {
        Content::Fence(Fence { writers, .. }) => {
            allocated(writers.capacity() * size_of::<(Token, Instant)>())
        }
        _ => 0,
    };
    OVERHEAD + weight::of_key(key) + writers
}
