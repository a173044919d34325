//! The settings of a cache, and which of them make no sense.

use std::time::Duration;

use tokio::runtime::Handle;

use super::client_name;
use crate::codec::Codec;
use crate::error::{Error, ErrorKind};
use crate::namespace::Namespace;
use crate::span::SHORTEST;

/// In bytes. The embedded store is divided into shards, and one that is smaller would have no room for a small value.
const LEAST_CAPACITY: usize = 16 << 10;

/// A connection that is replaced more often is hardly used.
const LEAST_AGE: Duration = Duration::from_secs(1);

/// The settings shared by all calls of a cache.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) namespace: Namespace,
    pub(crate) budget: Duration,
    pub(crate) wait: Duration,
    pub(crate) lease: Duration,
    pub(crate) fence: Duration,
    pub(crate) codec: Codec,
    pub(crate) max_value_bytes: usize,
    pub(crate) capacity: usize,
    pub(crate) max_in_flight: usize,
    pub(crate) max_concurrent_loads: Option<usize>,
    pub(crate) max_background_refreshes: usize,
    pub(crate) shutdown_limit: Duration,
    pub(crate) failover: Failover,
    pub(crate) client_name: String,
    pub(crate) max_connection_age: Option<Duration>,
    pub(crate) connections_on: Option<Handle>,
    /// `None`: as the environment says.
    pub(crate) panic_on_misuse: Option<bool>,
}

/// How far a newly promoted primary is trusted.
///
/// Replication is asynchronous: a failover may bring back values whose invalidation the former primary had acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failover {
    /// Completely. An entry whose invalidation was lost stays outdated until its time to live ends.
    Trust,
    /// Completely, but each process repeats the invalidations that it made in the last 30 seconds, and bypasses the
    /// cache for those entries until they are acknowledged. Other processes may read such an entry until then. If the
    /// server refuses `INFO`, which tells primaries apart, they are repeated after every reconnection.
    #[default]
    Replay,
    /// Not at all: values and leases written under another primary are ignored, so the cache is empty after a
    /// failover. This is the only choice that leaves nothing outdated after a failover, provided that the fences were
    /// replicated. In a cluster, slots that move from one primary to another are empty at first, too. Primaries are told
    /// apart by `INFO`: if the server refuses that, nothing is cached, and the log says so.
    Distrust,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespace: Namespace::default(),
            budget: Duration::from_millis(100),
            wait: Duration::from_secs(5),
            lease: Duration::from_secs(3),
            fence: Duration::from_secs(10),
            codec: Codec::Json,
            max_value_bytes: 8 << 20,
            capacity: 64 << 20,
            max_in_flight: 4096,
            max_concurrent_loads: None,
            max_background_refreshes: 64,
            shutdown_limit: Duration::from_secs(15),
            failover: Failover::default(),
            client_name: "cache".to_owned(),
            max_connection_age: None,
            connections_on: None,
            panic_on_misuse: None,
        }
    }
}

impl Settings {
    /// The settings, unless nothing could be cached with them.
    pub(super) fn checked(self) -> Result<Self, Error> {
        self.namespace.check()?;
        client_name::check(&self.client_name)?;
        for (name, span) in [("budget", self.budget), ("lease", self.lease), ("fence", self.fence)]
        {
            if span < SHORTEST {
                let message =
                    format!("`{name}` is less than a millisecond; nothing would be cached");
                return Err(Error::new(ErrorKind::Config, message));
            }
        }
        if self.max_connection_age.is_some_and(|age| age < LEAST_AGE) {
            let message = "`max_connection_age` is less than a second; leave it out for no limit";
            return Err(Error::new(ErrorKind::Config, message));
        }
        for (name, size, least) in [
            ("max_value_bytes", self.max_value_bytes, 1),
            ("capacity", self.capacity, LEAST_CAPACITY),
            ("max_in_flight", self.max_in_flight, 1),
            ("max_concurrent_loads", self.max_concurrent_loads.unwrap_or(1), 1),
        ] {
            if size < least {
                let message = format!(
                    "`{name}` is {size}, but must be at least {least}; to cache nothing, use `Cache::disabled()`"
                );
                return Err(Error::new(ErrorKind::Config, message));
            }
        }
        Ok(self)
    }
}
