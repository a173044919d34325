//! What a key holds, without anything of a value's content.

use std::time::Duration;

use serde::Serialize;

use crate::codec::Codec;
use crate::inspect::millis::{as_ms, as_ms_if_any};
use crate::record::{self, Described, KeyHash, Value};
use crate::store::Inspected;

/// What a key holds. Serialized with the kind in `holds`, and durations in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "holds", rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeyContent {
    /// Nothing: it was never stored, or was removed, evicted, or has expired.
    Nothing,
    /// A value.
    Value(StoredValue),
    /// The stamp of a tag: entries with the tag are found if they were stored under it.
    Stamp {
        /// How long ago it was made.
        #[serde(rename = "age_ms", serialize_with = "as_ms")]
        age: Duration,
        /// How long it is kept. `None`: until it is removed.
        #[serde(rename = "left_ms", serialize_with = "as_ms_if_any")]
        left: Option<Duration>,
    },
    /// The lease of a load: somebody is running the body, and may store its value.
    Lease {
        /// How long it stands if it is not renewed.
        #[serde(rename = "left_ms", serialize_with = "as_ms_if_any")]
        left: Option<Duration>,
    },
    /// The fence of writes that have begun and not ended: nothing is stored meanwhile.
    Fence {
        /// How many writers there are.
        writers: usize,
        /// How long it stands if none of them ends or renews it.
        #[serde(rename = "left_ms", serialize_with = "as_ms_if_any")]
        left: Option<Duration>,
    },
    /// What a write with `hold_off` leaves behind: nothing is stored until replicas of the database
    /// have caught up.
    Tombstone {
        /// How long that takes.
        #[serde(rename = "left_ms", serialize_with = "as_ms_if_any")]
        left: Option<Duration>,
    },
    /// A record of this library that this process cannot read, such as one of a later format. The
    /// next load replaces it.
    Damaged {
        /// Its size in bytes.
        bytes: u64,
    },
    /// A value that was stored for another key: somebody copied or renamed it. The next load
    /// replaces it.
    Misplaced {
        /// Its size in bytes.
        bytes: u64,
    },
    /// Data of another program, which is left alone.
    Foreign {
        /// Its type, as Redis calls it: `string`, `list`, `hash`, …
        data_type: String,
        /// Its size in bytes. `None` if it is no string and the user may not ask the server for the
        /// memory that it takes (`MEMORY USAGE`).
        bytes: Option<u64>,
        /// How long it is kept. `None`: until it is removed.
        #[serde(rename = "left_ms", serialize_with = "as_ms_if_any")]
        left: Option<Duration>,
    },
}

/// A value in a key, without its content. Times are by the server's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoredValue {
    /// Its size in bytes, encoded.
    pub bytes: u64,
    /// Its codec: `json`, `msgpack`, `postcard`, or `unknown`.
    pub codec: &'static str,
    /// The `version` of the function that stored it.
    pub version: u32,
    /// It is an error, remembered by `error_ttl`.
    pub is_error: bool,
    /// How long ago it was stored.
    #[serde(rename = "age_ms", serialize_with = "as_ms")]
    pub age: Duration,
    /// How long the load took, or the body of the write.
    #[serde(rename = "load_ms", serialize_with = "as_ms")]
    pub load: Duration,
    /// How long it is fresh from now on; zero if it is not.
    #[serde(rename = "fresh_ms", serialize_with = "as_ms")]
    pub fresh: Duration,
    /// How long it is kept after that, for `stale_while_revalidate` and `stale_if_error`.
    #[serde(rename = "stale_ms", serialize_with = "as_ms")]
    pub stale: Duration,
    /// How long it is kept from now on. `None`: until it is removed, because somebody has taken its
    /// expiry away (`PERSIST`).
    #[serde(rename = "left_ms", serialize_with = "as_ms_if_any")]
    pub left: Option<Duration>,
}

/// What was seen in a key, and the record if it is a value.
pub(super) fn read(seen: Option<&Inspected>, key: KeyHash, now_ms: u64) -> Read {
    let Some(seen) = seen else { return (KeyContent::Nothing, None) };
    let (bytes, left) = (seen.size.unwrap_or_default(), seen.left);
    let content = match record::describe(&seen.head, bytes, key) {
        Described::Value(value) if value.codec() == 0 => {
            KeyContent::Stamp { age: since(value.stored_at_ms(), now_ms), left }
        }
        Described::Value(value) => {
            let content = StoredValue::of(&value, seen, now_ms);
            return (KeyContent::Value(content), Some(value));
        }
        Described::Lease => KeyContent::Lease { left },
        Described::Fence(deadlines) => {
            let writers = deadlines.iter().filter(|deadline| **deadline > now_ms).count();
            KeyContent::Fence { writers, left }
        }
        Described::Tombstone => KeyContent::Tombstone { left },
        Described::Damaged => KeyContent::Damaged { bytes },
        Described::Misplaced => KeyContent::Misplaced { bytes },
        Described::Foreign => {
            let data_type = seen.data_type.clone();
            KeyContent::Foreign { data_type, bytes: seen.size, left }
        }
    };
    (content, None)
}

/// What [`read`] returns.
pub(super) type Read = (KeyContent, Option<Value>);

impl StoredValue {
    fn of(value: &Value, seen: &Inspected, now_ms: u64) -> Self {
        let left = seen.left;
        let fresh = since(now_ms, value.fresh_until_ms()).min(left.unwrap_or(Duration::MAX));
        let kept = left.filter(|_| value.is_kept()).unwrap_or_default();
        Self {
            bytes: seen.size.unwrap_or_default().saturating_sub(value.payload_at() as u64),
            codec: Codec::name_of(value.codec()),
            version: value.version(),
            is_error: value.is_error(),
            age: since(value.stored_at_ms(), now_ms),
            load: Duration::from_millis(value.cost_ms().into()),
            fresh,
            stale: kept.saturating_sub(fresh),
            left,
        }
    }
}

/// From one time to a later one; zero if it is not later.
fn since(earlier_ms: u64, later_ms: u64) -> Duration {
    Duration::from_millis(later_ms.saturating_sub(earlier_ms))
}
