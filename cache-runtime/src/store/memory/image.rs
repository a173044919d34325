//! What tests look at, and take away, in the embedded store.

use std::time::Duration;

use tokio::time::Instant;

use crate::record::token::Token;
use crate::store::memory::transitions::Content;
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
}
