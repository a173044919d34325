//! What tests look at, and take away, in the embedded store.

use std::time::Duration;

use tokio::time::Instant;

use crate::record::token::Token;
use crate::record::{self, Kind, Origin};
use crate::store::memory::transitions::{Content, Fence, Slot};
use crate::store::memory::{MemoryStore, requests};
use crate::store::{Name, Stamped};

impl MemoryStore {
    /// What a key holds: the letter that such an entry's record has in Redis.
    pub(crate) fn kind(&self, name: Name<'_>) -> Option<char> {
        self.apply(name, |entry, _| {
            entry.as_ref().map(|slot| match slot.content {
                Content::Value { .. } => 'V',
                Content::Lease(_) => 'L',
                Content::Fence(_) => 'F',
                Content::Tombstone => 'T',
            })
        })
    }

    /// The stamp of a tag; `token` where there is none.
    pub(crate) fn stamp_with(&self, name: Name<'_>, token: Token, need: Duration) -> Stamped {
        requests::stamp_with(self, name, token, need)
    }

    /// Removes what a key holds, whatever it is, as `DEL` does.
    pub(crate) fn lose(&self, name: Name<'_>) {
        self.apply(name, |entry, _| *entry = None);
    }

    /// Removes everything, as the end of a server without persistence does.
    pub(crate) fn lose_everything(&self) {
        let now = Instant::now();
        for shard in &self.shards {
            self.within(shard, |shard| shard.apply_matching(now, |_| true, |entry| *entry = None));
        }
    }

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
