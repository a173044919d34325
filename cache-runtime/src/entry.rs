//! How a value becomes an entry: its record and its times.

use std::time::Duration;

use crate::cache::Cache;
use crate::codec::{CodecError, Schema};
use crate::key::Key;
use crate::outcome::IsAbsent;
use crate::read::guarded;
use crate::record::{self, KeyHash, Stamp, ValueHeader};
use crate::stats::Event;
use crate::token::{Token, random_fraction};

/// The parts of a value's record other than its schema and its payload.
pub(crate) struct Head<'a> {
    pub(crate) name: KeyHash,
    pub(crate) token: Token,
    pub(crate) stamps: &'a [Stamp],
    /// How long it took to load; zero for a value that was not loaded.
    pub(crate) took: Duration,
}

/// Why a value has no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    Unencodable,
    /// Larger than `max_value_bytes`.
    Oversized,
}

impl Head<'_> {
    /// The record of what `encode` appends, under the schema of the key. A panic of `encode` is the caller's.
    pub(crate) fn try_record<T>(
        self,
        cache: &Cache,
        key: &Key<T>,
        encode: impl FnOnce(Schema, &mut Vec<u8>) -> Result<(), CodecError>,
    ) -> Result<Vec<u8>, Unfit> {
        let schema = key.schema(cache.settings().codec);
        let header = ValueHeader {
            key: self.name,
            token: self.token,
            cost_ms: u32::try_from(self.took.as_millis()).unwrap_or(u32::MAX),
            version: schema.version,
            codec: schema.codec.id(),
        };
        let mut record = record::value(header, self.stamps);
        let longest = record.len() + cache.settings().max_value_bytes;
        let encoded = encode(schema, &mut record);
        if record.len() > longest {
            return Err(Unfit::Oversized);
        }
        encoded.map(|()| record).map_err(|CodecError| Unfit::Unencodable)
    }

    /// The same for a value that its caller gets with or without a record: what stands in the way, a panic too, is only
    /// counted.
    pub(crate) fn record<T>(
        self,
        cache: &Cache,
        key: &Key<T>,
        encode: impl FnOnce(Schema, &mut Vec<u8>) -> Result<(), CodecError>,
    ) -> Option<Vec<u8>> {
        let record = self.try_record(cache, key, |schema, out| {
            guarded(|| encode(schema, out)).unwrap_or(Err(CodecError))
        });
        let event = match record {
            Ok(record) => return Some(record),
            Err(Unfit::Unencodable) => Event::Unencodable,
            Err(Unfit::Oversized) => Event::Oversized,
        };
        cache.recorder().count(key.callsite(), event);
        None
    }
}

/// How long a value is fresh, and how long it may be served after that; not at all if it is not to be stored.
pub(crate) fn times<T>(
    key: &Key<T>,
    value: &T,
    is_absent: IsAbsent<T>,
    unless: impl FnOnce(&T) -> bool,
) -> Option<(Duration, Duration)> {
    let policy = key.callsite().policy();
    let absent = guarded(|| is_absent(value))?;
    let ttl = guarded(|| {
        if unless(value) {
            return None;
        }
        if absent { policy.none_ttl } else { Some(key.ttl_for(value)) }
    })??;
    // Only shortened: the time to live stays the upper bound that the documentation promises.
    let ttl = ttl.mul_f64(1.0 - random_fraction() * policy.jitter);
    (ttl >= Duration::from_millis(1)).then(|| (ttl, key.stale_for(absent)))
}
