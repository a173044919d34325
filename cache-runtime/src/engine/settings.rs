//! The settings of a cache, and which of them make no sense.

use std::time::Duration;

use tokio::runtime::Handle;

use crate::codec::Codec;
use crate::engine::client_name;
use crate::error::{Error, ErrorKind};
use crate::store::namespace::Namespace;
use crate::store::{Failover, redis};
use crate::support::span::SHORTEST;

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
    pub(crate) fn checked(self) -> Result<Self, Error> {
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
                    "`{name}` is {size}, but must be at least {least}; to cache nothing, use `Core::disabled()`"
                );
                return Err(Error::new(ErrorKind::Config, message));
            }
        }
        Ok(self)
    }

    /// Those of the connections.
    pub(super) fn of_connections(&self) -> redis::Settings {
        let Self { max_in_flight, failover, max_connection_age, .. } = *self;
        redis::Settings {
            client_name: self.client_name.clone(),
            max_in_flight,
            distrust: failover == Failover::Distrust,
            max_age: max_connection_age,
            runtime: self.connections_on.clone(),
            ..redis::Settings::within(self.budget)
        }
    }
}
