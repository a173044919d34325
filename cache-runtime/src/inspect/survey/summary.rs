//! What a survey has found.

use std::time::Duration;

use serde::Serialize;

use crate::inspect::millis::as_ms_if_any;
use crate::record::Described;
use crate::store::Inspected;

/// What is in a namespace; returned by
/// [`SurveyBuilder::run`](crate::inspect::SurveyBuilder::run).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Survey {
    /// Keys that servers have looked at, more or less, those of others included.
    pub looked_at: u64,
    /// All keys that match, together. Its template is empty.
    pub total: SurveyGroup,
    /// The same by what keys look like, those first that take the most bytes.
    pub groups: Vec<SurveyGroup>,
}

/// Keys that look alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SurveyGroup {
    /// What the keys look like, with `<>` for parts that differ: `user:<>`. It is guessed from the
    /// keys, as a server knows no templates; of more kinds than a thousand, those that came last
    /// are together in `…`.
    pub template: String,
    /// Values.
    pub values: u64,
    /// Those of them that are no longer fresh.
    pub stale: u64,
    /// Leases of loads, fences of writes, and what keeps a key empty for a `hold_off`.
    pub guards: u64,
    /// Stamps of tags.
    pub stamps: u64,
    /// Everything else: queues of this library, data of other programs, and what cannot be read.
    pub others: u64,
    /// Bytes of all of them, as the server stores them, without the keys.
    pub bytes: u64,
    /// The age of the youngest value.
    #[serde(rename = "youngest_ms", serialize_with = "as_ms_if_any")]
    pub youngest: Option<Duration>,
    /// The age of the oldest value.
    #[serde(rename = "oldest_ms", serialize_with = "as_ms_if_any")]
    pub oldest: Option<Duration>,
}

impl SurveyGroup {
    /// All keys of the group.
    #[must_use]
    pub fn keys(&self) -> u64 {
        self.values + self.guards + self.stamps + self.others
    }

    /// Counts a key.
    pub(super) fn add(&mut self, found: &Described, seen: &Inspected, now_ms: u64) {
        self.bytes += seen.size.unwrap_or_default();
        match found {
            Described::Value(value) if value.codec() == 0 => self.stamps += 1,
            Described::Value(value) => {
                let age = Duration::from_millis(now_ms.saturating_sub(value.stored_at_ms()));
                self.values += 1;
                self.stale += u64::from(value.fresh_until_ms() <= now_ms);
                self.youngest = Some(self.youngest.map_or(age, |other| other.min(age)));
                self.oldest = Some(self.oldest.map_or(age, |other| other.max(age)));
            }
            Described::Lease | Described::Fence(_) | Described::Tombstone => self.guards += 1,
            Described::Damaged | Described::Misplaced | Described::Foreign => self.others += 1,
        }
    }

    /// Adds all keys of another group.
    pub(super) fn merge(&mut self, other: &Self) {
        self.values += other.values;
        self.stale += other.stale;
        self.guards += other.guards;
        self.stamps += other.stamps;
        self.others += other.others;
        self.bytes += other.bytes;
        // `None` would be the least of all.
        self.youngest = self.youngest.into_iter().chain(other.youngest).min();
        self.oldest = self.oldest.max(other.oldest);
    }
}
