//! What is asked of a store.

use std::time::Duration;

use crate::record::{self, KeyHash};

/// A full key (namespace and all) with its hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'a> {
    pub(crate) text: &'a str,
    pub(crate) hash: KeyHash,
}

impl<'a> Name<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, hash: KeyHash::of(text) }
    }
}

/// How long a stamp is kept that is needed for `need`: twice as long, so that not every load has to extend it.
pub(crate) fn kept(need: Duration) -> Duration {
    need.saturating_mul(2)
}

/// A value to be stored: the record from [`record::value`](crate::record::value) with its payload, and for how long.
#[derive(Debug)]
pub(crate) struct Fill {
    pub(crate) record: Vec<u8>,
    /// Served as fresh for this long.
    pub(crate) fresh: Duration,
    /// Kept for this long; at least `fresh`.
    pub(crate) ttl: Duration,
}

/// One key of a writer that ends, and the value to store there if no other writer overlapped.
#[derive(Debug)]
pub(crate) struct End<'a> {
    pub(crate) name: Name<'a>,
    pub(crate) value: Option<Fill>,
}

impl Fill {
    /// A value that is fresh for `fresh`, and may be served for `stale` after that.
    pub(crate) fn new(mut record: Vec<u8>, fresh: Duration, stale: Duration) -> Self {
        if !stale.is_zero() {
            record::set_kept(&mut record);
        }
        Self { record, fresh, ttl: fresh.saturating_add(stale) }
    }
}
