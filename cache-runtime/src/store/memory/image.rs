//! An entry as Redis would store it, for the test that both stores agree.

use tokio::time::Instant;

use crate::record::{self, Kind, Origin};
use crate::store::Name;
use crate::store::memory::MemoryStore;
use crate::store::memory::transitions::{Content, Fence, Slot};

impl MemoryStore {
    /// The record of a key and when it expires, if it has not.
    pub(crate) fn image(&self, name: Name<'_>) -> Option<(Vec<u8>, Instant)> {
        let Slot { content, until } = self.apply(name, |entry, _| entry.clone())?;
        let record = match content {
            Content::Value { record, .. } => record.to_vec(),
            Content::Lease(token) => record::lease(Origin::default(), name.hash, token).to_vec(),
            Content::Tombstone => {
                record::header(Kind::Tombstone, Origin::default(), name.hash).to_vec()
            }
            Content::Fence(Fence { dirty, writers }) => {
                let mut record = record::header(Kind::Fence, Origin::default(), name.hash).to_vec();
                record.push(u8::from(dirty));
                for (writer, deadline) in writers {
                    record.extend(writer.as_bytes());
                    record.extend(self.millis(deadline).to_be_bytes());
                }
                record
            }
        };
        Some((record, until))
    }

    /// A time as records tell it.
    pub(crate) fn millis(&self, time: Instant) -> u64 {
        let time = self.epoch.1 + time.saturating_duration_since(self.epoch.0);
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    }
}
