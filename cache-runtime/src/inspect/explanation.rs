//! What is known of an entry.

use serde::Serialize;

use crate::inspect::content::KeyContent;
use crate::inspect::last_miss::LastMiss;

/// What is in the key of an entry, and what a call would make of it; returned by
/// [`Cache::explain`](crate::Cache::explain).
///
/// Printed it is a short paragraph, serialized an object for an endpoint. Neither shows anything of
/// a value's content; the key, and so the arguments in it, both do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The text of the key, without the namespace.
    pub key: String,
    /// The key as it is in the store: what `redis-cli` takes.
    pub stored_as: String,
    /// The function whose entry it is. Of a key that was made by hand all those whose template can
    /// make it, which takes the feature `catalog` and a program that has them.
    pub functions: Vec<&'static str>,
    /// What the key holds.
    #[serde(flatten)]
    pub content: KeyContent,
    /// The tags of the value in the key, and those that it lacks.
    pub tags: Vec<EntryTag>,
    /// What another release, or this one, has in the key beside it. Only for the key of a function,
    /// which says under what codec, version and tags to look.
    pub beside: Option<ReleaseBeside>,
    /// An invalidation of the entry or of one of its tags waits in this process to be delivered;
    /// meanwhile this process, and no other, bypasses the cache.
    pub is_undelivered: bool,
    /// Why a call that asked now would not be served the value as a fresh one. `None`: it would be.
    pub obstacle: Option<Obstacle>,
    /// Why the last call of this process that missed the entry did; left out of the serialized form
    /// if none is known. Of a key that was made by hand, calls that looked into the key
    /// [beside](Self::beside) are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_miss: Option<LastMiss>,
}

/// A value that stands beside that of another release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReleaseBeside {
    /// The key as it is in the store.
    pub stored_as: String,
    /// What the key holds.
    #[serde(flatten)]
    pub content: KeyContent,
}

/// A tag of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EntryTag {
    /// The text of the tag. `None` if the value was stored with a tag that neither the key nor the
    /// value names: a key made by hand knows of none.
    pub tag: Option<String>,
    /// What has become of it.
    pub state: TagState,
}

/// What has become of a tag since the value was stored with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TagState {
    /// Nothing: its stamp is that of the value.
    Current,
    /// It was invalidated, and the value kept as a stale one (`keep_stale`).
    MadeStale,
    /// It was invalidated.
    Invalidated,
    /// Its stamp was evicted, has expired or was lost, which counts as an invalidation.
    Lost,
    /// Somebody is writing it: no entry with this tag is read or stored.
    BeingWritten,
    /// The value was stored without it.
    Lacking,
    /// It is not known which tag it is.
    Unknown,
}

/// Why a call would not be served a value. The words are those of the serialized form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Obstacle {
    /// The cache is disabled.
    Disabled,
    /// An invalidation waits in this process.
    Undelivered,
    /// There is no value.
    Absent,
    /// There is none yet: somebody is loading it.
    Loading,
    /// Somebody is writing the entry.
    BeingWritten,
    /// A write has left it empty for its `hold_off`.
    HeldOff,
    /// The key holds another program's data.
    Foreign,
    /// The key holds a record that cannot be read.
    Damaged,
    /// The key holds another key's value.
    Misplaced,
    /// The key is that of a tag, and no entry's.
    Tag,
    /// The value was stored by another primary, whose values do not count
    /// ([`Failover::Distrust`](crate::Failover::Distrust)).
    OtherPrimary,
    /// Somebody is writing one of its tags.
    TagBeingWritten,
    /// One of its tags was invalidated, or its stamp was lost.
    TagInvalidated,
    /// It was stored with other tags than the key has.
    OtherTags,
    /// It has another codec or another version than the function.
    OtherRelease,
    /// It is larger than [`max_value_bytes`](crate::CacheBuilder::max_value_bytes).
    Oversized,
    /// It is no longer fresh: only `stale_while_revalidate` and `stale_if_error` serve it.
    Stale,
}
