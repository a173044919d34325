//! What a server remembers of pushes, so that each is stored once. A queue in memory needs none of it: there every push is
//! executed once, and before it returns.

use std::collections::{BTreeSet, HashMap};

use crate::store::queue::memory::MemoryQueue;
use crate::store::queue::{Added, Addition};

/// The processes that push, by their keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Producers(HashMap<String, Producer>);

#[derive(Clone, Debug, Default)]
struct Producer {
    /// Those below it are over.
    oldest: u64,
    /// Or given up.
    stored: BTreeSet<u64>,
}

impl Producers {
    /// Stores an item, if it is not stored and was not given up.
    pub(crate) fn push(
        &mut self,
        queue: &MemoryQueue,
        partition: u32,
        addition: &Addition<'_>,
    ) -> Added {
        let producer = self.0.entry(addition.producer.to_owned()).or_default();
        if addition.number < producer.oldest {
            return Added::Late;
        }
        if producer.stored.contains(&addition.number) {
            return Added::Known;
        }
        if queue.refuses(partition, addition.epoch) {
            return Added::Moved;
        }
        let last = queue.us(partition);
        if last > addition.stamp.us + addition.window_us {
            return Added::Behind(last);
        }
        let added = queue.append(partition, addition);
        if matches!(added, Added::New(_)) {
            producer.oldest = producer.oldest.max(addition.oldest);
            producer.stored.insert(addition.number);
            producer.stored.extend(addition.given_up);
            producer.stored.retain(|number| *number >= producer.oldest);
        }
        added
    }
}
