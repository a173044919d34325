//! Looking at a key of the embedded store from outside.

use bytes::Bytes;
use tokio::time::Instant;

use crate::record::{self, Kind, Origin};
use crate::store::memory::transitions::{Content, Fence, Slot};
use crate::store::memory::{Execute, MemoryStore, millis, read};
use crate::store::{Inspect, Inspected, Name, namespace};

impl Execute for Inspect {
    fn execute(self, store: &MemoryStore, name: Name<'_>) -> Option<Inspected> {
        let (record, until) = store.image(name)?;
        Some(Inspected {
            data_type: "string".to_owned(),
            head: record.slice(..self.most.min(record.len())),
            size: Some(record.len() as u64),
            left: Some(until.saturating_duration_since(Instant::now())),
            is_distrusted: false,
        })
    }
}

impl MemoryStore {
    /// The record of a key, as it would be in Redis, and when it expires, if it has not.
    pub(crate) fn image(&self, name: Name<'_>) -> Option<(Bytes, Instant)> {
        let Slot { content, until } = self.apply(name, |entry, _| entry.clone())?;
        let header = |kind| record::header(kind, Origin::default(), name.hash).to_vec();
        let record = match content {
            Content::Value { record, .. } => record,
            Content::Lease(token) => {
                Bytes::from(record::lease(Origin::default(), name.hash, token).to_vec())
            }
            Content::Tombstone => header(Kind::Tombstone).into(),
            Content::Fence(Fence { dirty, writers }) => {
                let mut record = header(Kind::Fence);
                record.push(u8::from(dirty));
                for (writer, deadline) in writers {
                    record.extend(writer.as_bytes());
                    record.extend(self.millis(deadline).to_be_bytes());
                }
                record.into()
            }
        };
        Some((record, until))
    }

    /// What every key holds that a Redis glob matches.
    pub(crate) fn inspect_matching(
        &self,
        pattern: &str,
        request: Inspect,
    ) -> Vec<(String, Inspected)> {
        let mut found = Vec::new();
        for shard in &self.shards {
            let keys = read(shard).keys(|key| namespace::matches(pattern, key));
            let seen = |key: &str| Some((key.to_owned(), request.execute(self, Name::new(key))?));
            found.extend(keys.iter().filter_map(|key| seen(key)));
        }
        found
    }

    /// A time as records tell it.
    pub(crate) fn millis(&self, time: Instant) -> u64 {
        millis(self.since_epoch(time))
    }
}
